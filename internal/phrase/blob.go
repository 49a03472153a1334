package phrase

// What is said when the place where backups lie can't be reached.
var BlobsAway = define("备份存储暂时无法访问，请稍后重试", "The store of the backups does not answer; try again shortly")

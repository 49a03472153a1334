package phrase

// What is said when the place where backups lie can't be reached.
var BlobsAway = define("备份存储暂时无法访问，请稍后重试", "The store of the backups does not answer; try again shortly")

// What keeps a server from serving a place of backups.
var (
	BlobsOfAnother = define("%s 中的备份文件属于另一个数据库，继续会误删它们，因此未启动；请检查 CAESAR_DATABASE 与 CAESAR_BLOBS（或 CAESAR_DATA），或用 caesar move 迁移", "the backups in %s are those of another database, and this one would delete them, so nothing was started: check CAESAR_DATABASE, and CAESAR_BLOBS or CAESAR_DATA, or bring the data over with caesar move")
	BlobsMoved     = define("此数据库已迁移到 PostgreSQL，%s 中的备份文件从此属于那里，因此未启动；请用 CAESAR_DATABASE 指定它", "this database was moved to PostgreSQL, and the backups in %s are that one's since, so nothing was started: name it by CAESAR_DATABASE")
)

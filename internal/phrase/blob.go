package phrase

// What is said when the place where backups lie can't be reached.
var BlobsAway = define("备份存储暂时无法访问，请稍后重试", "The store of the backups does not answer; try again shortly")

// What keeps a server from serving a place of backups.
var (
	BlobsOfAnother = define("%s 中的备份文件属于另一个数据库，继续会误删它们，因此未启动；请检查 CAESAR_DATABASE 与 CAESAR_BLOBS（或 CAESAR_DATA），或用 caesar move 迁移", "the backups in %s are those of another database, and this one would delete them, so nothing was started: check CAESAR_DATABASE, and CAESAR_BLOBS or CAESAR_DATA, or bring the data over with caesar move")
	BlobsGone      = define("数据库中有备份文件，而 %[1]s 中一个也没有，也没有标明它属于此数据库，因此没有继续；请照原样设置 CAESAR_BLOBS 或 CAESAR_DATA，或把文件夹放回原处、挂载好。若备份文件确已全部丢失，请在那里放一个名为 place 的文件（存储桶中则为对象），内容为：%[2]s", "the database knows of backups, and %[1]s holds none and does not say that it is their place, so nothing was done: set CAESAR_BLOBS or CAESAR_DATA as it was, or bring the folder back, or mount it. Where all backups are lost for good, put a file there, or in a bucket an object, that is called place and holds the text: %[2]s")
	BlobsMoving    = define("向 %s 迁移备份文件尚未完成，因此未启动；请再次运行 caesar move 直到完成，或仍以原来的数据文件夹启动", "the backups have not all been brought to %s, so nothing was started: run caesar move again until they are, or go on with the data folder, where they still are, and no bucket")
	BlobsMoved     = define("此数据库已迁移到 PostgreSQL，%s 中的备份文件从此属于那里，因此未启动；请用 CAESAR_DATABASE 指定它", "this database was moved to PostgreSQL, and the backups in %s are that one's since, so nothing was started: name it by CAESAR_DATABASE")
)

package phrase

// What the command line says of moves, and the flags of the command.
var (
	CLIMove     = define("把数据文件夹迁移到 PostgreSQL 与 S3", "move a data folder to PostgreSQL and S3")
	CLIMoveMore = define("把 SQLite 中的每一行、每个备份文件复制到目标并逐一核对。可随时停止，再次运行即从中断处继续。\n目标必须为空；数据文件夹只被读取，完成后其数据库被标记为已迁移；迁移期间服务器须停止。\n\n目标网址含有密码，最好不要写在命令行上：也可由环境变量 CAESAR_DATABASE 与 CAESAR_BLOBS、\n所指文件 CAESAR_DATABASE_FILE 与 CAESAR_BLOBS_FILE，或 --config 文件给出。",
		"Every row of SQLite and every backup is copied, and then compared with what was copied. It may be stopped at\nany moment, and run again: it goes on where it was. The target must be empty. The data folder is only read, and\nits database is marked as moved in the end; its server must be stopped meanwhile.\n\nThe URLs of the target hold passwords and are better kept off the command line: the variables CAESAR_DATABASE\nand CAESAR_BLOBS, the files that CAESAR_DATABASE_FILE and CAESAR_BLOBS_FILE name, or lines of the file of\n--config say the same.")
	MoveFromData       = define("要迁移的数据文件夹", "data folder to move from")
	MoveToDatabase     = define("目标 PostgreSQL 数据库（15 或更新版本）的 postgres:// 网址", "PostgreSQL database (15 or later) to move to, a postgres:// URL")
	MoveToBlobs        = define("备份文件的目标 S3 存储桶，s3:// 或 s3+http:// 网址；留空则备份文件留在数据文件夹", "S3 bucket to move the backups to, a s3:// or s3+http:// URL; without one, they stay in the data folder")
	MoveDespiteMissing = define("即使有备份文件已经丢失，也完成迁移", "finish the move although files of backups are lost")
	MoveUndo           = define("让已迁移的数据文件夹可以再次启动服务；目标保持原样，其后写入目标的内容不会带回。若此前备份文件就在存储桶中，请以 --to-blobs 给出", "let a data folder be served again that was moved; the target stays as it is, and nothing comes back from there. Where its backups were in a bucket before, give that by --to-blobs")
)

// What keeps a move from beginning or going on.
var (
	MoveNoTarget       = define("必须给出，或由 CAESAR_DATABASE 给出", "has to be given, or CAESAR_DATABASE has")
	MoveNoSource       = define("%s 中没有 caesar.db，没有可迁移的内容；请用 --from-data 指定数据文件夹", "there is no caesar.db in %s, and so nothing to move: name the data folder by --from-data")
	MoveNoBlobs        = define("没有文件夹 %s，而数据库中有备份文件；请把它放回原处，或挂载它；若备份文件在存储桶中，请以 --to-blobs 指定，再运行一次", "there is no folder %s, and the database knows of backups: bring it back, or mount it, or name the bucket that they are in by --to-blobs, and run this again")
	MoveClaimed        = define("迁移期间必须停止服务器", "the server must be stopped while its data are moved")
	MoveForeign        = define("目标数据库中有表 %s，它不属于 Caesar；请换一个空的数据库。没有写入任何内容", "the target database has a table %s, which is not Caesar's: give an empty database. Nothing was written")
	MoveFull           = define("目标数据库已有内容（表 %s）；请换一个空的数据库。没有写入任何内容", "the target database holds something already, in its table %s: give an empty database. Nothing was written")
	MoveElsewhere      = define("目标数据库中有从另一个数据文件夹开始、尚未完成的迁移；请把那次迁移做完，或换一个空的数据库。没有写入任何内容", "a move from another data folder into the target database was begun and not finished: finish that one, or give an empty database. Nothing was written")
	MoveBlobsFull      = define("%s 中已有其他备份文件（%s）；请换一个空的位置。没有写入任何内容", "there are backups of somebody else in %s (%s): give an empty place. Nothing was written")
	MoveBlobsMarked    = define("%s 是另一个数据库存放备份文件的地方；请换一个空的位置。没有写入任何内容", "%s is where another database keeps its backups: give an empty place. Nothing was written")
	MoveBlobsElsewhere = define("备份文件早已迁移到 %s，没有做任何更改。要换到别处，请停止服务器，用 S3 工具连同对象 place 一并复制过去，再以新的 CAESAR_BLOBS 启动", "the backups were moved to %s before, and nothing was changed. To have them elsewhere, stop the server, copy them there with an S3 tool, and the object called place too, and start it with the new CAESAR_BLOBS")
	MoveAway           = define("此数据库已迁移到 %s，之后写入这里的内容不会再被迁移；请以 CAESAR_DATABASE 使用那个数据库。若要退回这里并放弃那边之后写入的内容，请先停止那边的服务器，再运行 caesar move --undo", "this database was moved to %s, and what would be written here now would not be moved: serve that one, by CAESAR_DATABASE. To go back to this one, and give up what that one has taken since, stop its servers and run caesar move --undo")
	MoveUndoElsewhere  = define("%s 中的备份文件属于另一个数据库，没有撤销任何内容；请用 --from-data、--to-blobs 或 CAESAR_BLOBS 指定此数据库的备份文件所在之处", "the backups in %s are those of another database, and nothing was undone: name the place where this one's are, by --from-data, or by --to-blobs or CAESAR_BLOBS")
	MoveCopy           = define("%s 是迁移完成之前的副本，之后可能还运行过服务器；没有核对其中的行，没有做任何更改。若它没有再被使用，请删除；若要保留其中后来写入的内容，请把它迁移到另外的空数据库与空存储桶", "%s is a copy from before the end of the move, and may have been served since: its rows were not compared, and nothing was changed. Delete it if it was not; to keep what it has taken since, move it to an empty database and an empty bucket of its own")
	MoveNotMoved       = define("%s 没有被迁移，无需撤销", "%s was not moved: there is nothing to undo")
	MoveRace           = define("另有程序正在写入目标数据库；请停止它，再运行一次", "something else writes to the target database: stop it, and run this again")
	MoveUnstorable     = define("表 %[2]s 中有一行（%[3]s）无法存入 PostgreSQL：其 %[1]s 一列含有 NUL，或不是 UTF-8。请修正该行，再运行一次", "PostgreSQL cannot store the column %s of a row of the table %s, the one with %s: it holds a NUL, or is not UTF-8. Mend that row, and run this again")
	MoveNotBegun       = define("未能开始迁移，没有迁移任何内容", "the move could not begin, and has moved nothing")
	MoveBroken         = define("迁移中断；已复制的仍在，再次运行即从中断处继续", "the move broke off; what was copied is there, and it goes on from there when it is run again")
	MoveStopped        = define("迁移已停止；已复制的仍在，再次运行即从中断处继续", "the move was stopped; what was copied is there, and it goes on from there when it is run again")
	MoveLost           = define("有 %d 个备份文件无法读取，见上；其余都已迁移，但迁移尚未完成。请把这些文件放回 %s 并再次运行；若已无法找回，请加上 --despite-missing 再次运行，之后这些版本仍会列出，但无法下载", "backups could not be read, %d of them, as told above; all else was moved, but the move is not finished. Bring the files back to %s and run this again; where they are lost for good, run it with --despite-missing: their versions stay listed then, and cannot be downloaded")
	BroughtLost        = define("有 %d 个备份文件无法读取，见上；其余都已复制，但备份文件的迁移尚未完成。请把这些文件放回 %s 并再次运行；若已无法找回，请加上 --despite-missing 再次运行，之后这些版本仍会列出，但无法下载", "backups could not be read, %d of them, as told above; all others were copied, but the moving of the backups is not finished. Bring the files back to %s and run this again; where they are lost for good, run it with --despite-missing: their versions stay listed then, and cannot be downloaded")
	MoveUnfinished     = define("向此数据库的迁移尚未完成；请再次运行 caesar move 直到完成，再启动服务", "a move into this database has not finished: run caesar move again until it has, and serve it then")
)

// What a move says while it runs.
var (
	MoveResumed  = define("继续上次的迁移：已有 %d 行", "going on with the move that was begun: %d rows are there")
	MoveInClear  = define("到 %s 的连接可能未加密：窃听者会得到密码和数据；请在网址中加上 sslmode=verify-full", "the connection to %s may go in the clear: who listens gets the password and the data; add sslmode=verify-full to its URL")
	MoveCopying  = define("复制行", "copying rows")
	MoveChecking = define("核对行", "checking rows")
	MoveBlobs    = define("复制并读回备份文件", "copying backups and reading them back")
	MoveProgress = define("%s：%s / %s，每秒 %s，约剩 %s", "%s: %s of %s, %s a second, about %s left")
	MoveDone     = define("%s：%s，用时 %s", "%s: %s in %s")
	MoveLostOne  = define("用户 %d 的版本 %d 无法读取：%s", "version %[2]d of the user %[1]d cannot be read: %[3]s")
	MoveLostMore = define("……另有 %d 个", "… and %d more")
)

// What a move says at its end.
var (
	MoveAgain       = define("这次迁移早已完成，没有可迁移的内容，没有做任何更改。", "This move was finished before: nothing is left to be moved, and nothing was changed.")
	MovedBefore     = define("所有行早已迁移；这次迁移的是备份文件。", "All rows were moved before; now the backups were.")
	MovedBlobsThere = define("备份文件在 %s。", "The backups are in %s.")
	MovedBlobsKept  = define("备份文件原本就在 %s：%d 个（%s），没有复制。", "The backups are in %s already: %d, of %s. None was copied.")
	MovedFound      = define("另有 %d 个已在那里、而不在数据文件夹中；每个都已完整读出。", "Backups that were there already, and are no longer in the data folder: %d. Each was read to its end.")
	MoveUndone      = define("%s 可以再次启动服务。此前迁移到的 %s 保持原样：请不要再用它启动服务器；再次迁移须另用空的数据库。", "%s can be served again. %s, which it was moved to, is as it was: do not serve that any more. To move again takes an empty database.")
	MoveUndoneBlobs = define("%s 中的备份文件又归它所有。", "The backups in %s are its again.")
	MovedRows       = define("已迁移 %d 行：%d 个用户、%d 个账号及其全部数据。每一行都已与来源核对，完全一致。", "Moved %d rows, %d of them people and %d items. Each was compared with its source, and is the same.")
	MovedMended     = define("其中 %d 行在上次运行后有变化，已重新复制。", "%d of them had changed since the last run, and were copied anew.")
	MovedBlobs      = define("已迁移 %d 个备份文件（%s）到 %s。每个文件都已读回，SHA-256 一致。", "Moved backups: %d, of %s, to %s. Each was read back, and has the same SHA-256.")
	MovedNoBlobs    = define("备份文件留在 %s：服务器须继续使用这个数据文件夹，因此只能有一台。", "The backups stay in %s: the server needs that data folder still, and so there can be one server only.")
	MovedLost       = define("%d 个备份文件无法读取，没有迁移；它们的版本仍会列出，但无法下载。", "Backups that could not be read, and were left out: %d. Their versions are listed, and cannot be downloaded.")
	MovedNext       = define("接下来：", "What is left to do:")
	MovedKeys       = define("1. 把两个密钥文件带到运行服务器的机器。没有它们，迁移的内容都无法打开；\n   它们不在数据库或存储桶中，也请不要与之一同保存，并另存一份副本。\n     %s （由 CAESAR_ROOT_KEY_FILE 指定）\n     %s （由 CAESAR_BACKUP_KEY_FILE 指定）", "1. Carry the two key files over to where the server is to run. Without them nothing that was moved can be\n   opened. They are in neither the database nor the bucket; keep them apart from both, and keep a copy.\n     %s, to be named by CAESAR_ROOT_KEY_FILE\n     %s, to be named by CAESAR_BACKUP_KEY_FILE")
	MovedServe      = define("2. 启动服务器，各副本使用同样的密钥，其余设置照旧：\n     %s", "2. Start the server, each replica with the same keys, and all other settings as they were:\n     %s")
	MovedKeysThere  = define("1. 密钥文件仍在原处，服务器照旧使用；请另存一份副本，与数据库分开保存。\n     %s\n     %s", "1. The key files stay where they are, and the server goes on using them. Keep a copy, apart from the database.\n     %s\n     %s")
	MovedSource     = define("3. 旧数据库已标记为已迁移，服务器不会再用它启动（caesar move --undo 可撤销）。确认一切正常后再删除数据文件夹。", "3. The old database is marked as moved, and no server serves it any more; caesar move --undo takes that back.\n   Delete the data folder once you have seen that all is well.")
	MovedFolder     = define("3. 旧数据库 %s 已标记为已迁移，服务器不会再用它启动（caesar move --undo 可撤销）。\n   请保留它，直到备份文件也迁移：以 --to-blobs 再次运行即可。", "3. The old database %s is marked as moved, and no server serves it any more; caesar move --undo\n   takes that back. Keep it until the backups are moved too: run this again with --to-blobs for that.")
)

package phrase

// What is said of backups.
var (
	VersionNotFound = define("没有可下载的备份文件", "there is no such backup")
	BackupTooLarge  = define("文件过大，最多 %s", "the file is too large: at most %s are taken")
	BackupOverQuota = define("备份空间不足（共 %s），请先删除旧的备份", "the file does not fit into your %s for backups: delete older ones first")
)

// What is said where more is being uploaded at once than may be.
var (
	BackupTooManyUploads = define("同时上传的文件过多，最多 %d 个，请稍后重试", "you are uploading too many files at once: at most %d; try again shortly")
	BackupUploadsBusy    = define("正在上传的人过多，请稍后重试", "too many files are being uploaded at this moment; try again shortly")
)

// The settings of backups.
var (
	SettingBackupFileMax = define("单个备份文件的最大大小，如 10GiB", "largest size of a backup file, such as 10GiB")
	SettingBackupQuota   = define("每人备份文件的总大小上限，如 20GiB", "most that the backups of one person may take together, such as 20GiB")
	SettingBackupKeep    = define("每人保留的最近备份数", "how many backups of a person are kept, the newest")
	SettingSizeWrong     = define("必须是 1KiB 到 %s 之间的大小，如 500MiB 或 10GiB", "must be a size from 1KiB to %s, such as 500MiB or 10GiB")
)

package phrase

// What the vault says.
var (
	ItemNotFound      = define("没有这个平台账号", "there is no such account")
	MainPasswordUnset = define("尚未设置主密码，请先设置", "no main password is set yet: set one first")
	MainPasswordWrong = define("主密码错误", "the main password is wrong")
	MainIsLogin       = define("主密码不能与登录密码相同", "must differ from the login password")
	PasswordTooLong   = define("过长，最多 %d 字节", "is too long: at most %d bytes")
	BadMoment         = define("日期格式应为 YYYY-MM-DD、YYYY-MM-DD HH:MM:SS、RFC 3339 或 Unix 秒",
		"must be YYYY-MM-DD, YYYY-MM-DD HH:MM:SS, RFC 3339 or Unix seconds, and exist")

	ChangedMeanwhile = define("内容刚被其他请求更改，请稍后重试", "other requests kept changing this; try again shortly")

	ItemCreated     = define("保存成功", "kept")
	ItemDeleted     = define("删除成功", "deleted")
	MainPasswordSet = define("主密码已更新", "the main password was set")
)

package phrase

// The texts that document 000 and the forms behind it show, whatever language a client prefers: programs
// compare them.
var (
	MemberFormValid    = fixed("form is valid")
	MemberFormInvalid  = fixed("form is invalid")
	MemberGetForm      = fixed("GET register.html")
	MemberRequired     = fixed("This field is required.")
	MemberLoginEmail   = fixed("Enter a valid email address.")
	MemberBadEmail     = fixed("请传入一个正确的邮箱！")
	MemberCodeWrong    = fixed("验证码和邮箱不匹配！")
	MemberCodeSent     = fixed("邮箱验证码发送成功！")
	MemberLoggedIn     = fixed("登录成功")
	MemberWrong        = fixed("密码错误")
	MemberUnknown      = fixed("邮箱未注册")
	MemberInfo         = fixed("用户信息获取成功")
	MemberUpdated      = fixed("用户信息更新成功")
	MemberFileUploaded = fixed("文件上传成功")
)

// What the forms of /user say where the document shows no text.
var (
	MemberNameTaken    = define("用户名已被注册！", "The user name is taken.")
	MemberEmailTaken   = define("邮箱已被注册！", "The email is taken.")
	MemberTooLong      = define("太长了，请不要超过 %d 个字符！", "Use at most %d characters.")
	MemberTooManyBytes = define("太长了，请不要超过 %d 字节！", "Use at most %d bytes.")
	MemberTooShort     = define("太短了，请至少传入 %d 个字符！", "Use at least %d characters.")
	MemberNoControls   = define("请不要传入控制字符！", "Use no control characters.")
	MemberNameHasAt    = define("请不要在用户名中使用 @！", "Use no @ in a user name.")
	MemberMustBeText   = define("请传入文本！", "Enter a text.")
	MemberSentTwice    = define("请不要重复传入！", "Send it once only.")
	MemberNotUnicode   = define("请传入有效的 UTF-8 文本！", "Enter valid UTF-8 text.")
	MemberBadRemember  = define("请传入 1 或 0！", "Enter 1 or 0.")
	MemberBadBirthDate = define("请传入一个正确的日期（YYYY-MM-DD）！", "Enter a valid date (YYYY-MM-DD).")
	MemberNotActivated = define("账号尚未激活，请先激活！", "The account is not activated yet.")
	MemberLoginIsMain  = define("登录密码不能与主密码相同！", "The login password must differ from the main password.")
	MemberOldPassword  = define("原密码错误！", "The old password is wrong.")
	MemberOldEmail     = define("原邮箱错误！", "The old email is wrong.")

	MemberFiles       = define("备份文件列表获取成功", "the list of backups")
	MemberFileDeleted = define("备份文件已删除", "the backup was deleted")
)

// What is said of a profile's fields that only /user sets.
var (
	BadBirthDate  = define("应为 1900-01-01 至今的日期，格式为 YYYY-MM-DD", "must be a date from 1900-01-01 to today, as YYYY-MM-DD")
	OldEmailWrong = define("原邮箱错误", "the old email is wrong")
	EmailUnknown  = define("邮箱未注册", "the email is not registered")
)

// What an upload or a download can meet.
var (
	BodyTypeForm  = define("请求体须为 UTF-8 编码的 multipart/form-data、application/x-www-form-urlencoded 或 application/json", "The body must be multipart/form-data, application/x-www-form-urlencoded or application/json, in UTF-8")
	NoFile        = define("请以 multipart/form-data 在 file 字段中上传一个文件", "Send one file, in the field named file of multipart/form-data")
	TwoFiles      = define("一次只能上传一个文件", "Send one file at a time")
	MustBeBinary  = define("必须是 1 或 0", "must be 1 or 0")
	BadPartHeader = define("请求体中某一部分的首部有误", "The header of a part of the body can't be read")
	AroundTheFile = define("文件以外的内容过大，最多 %d 字节", "There is too much beside the file: at most %d bytes are taken")
	BadRange      = define("请求的范围超出文件", "The file has nothing in the range asked for")
)

// Settings of the members' surface.
var (
	SettingHideMembers       = define("/user/login/ 是否不区分密码错误与邮箱未注册", "whether /user/login/ tells no wrong password from an email that nobody has")
	SettingRequireOld        = define("在 /user 更改密码或邮箱是否必须提供原密码和原邮箱", "whether changing the password or email on /user demands the old password and email")
	SettingMemberPasswordMin = define("/user 登录密码的最少字符数", "least number of characters of a login password set on /user")
)

// fixed defines a text that is the same in every language.
func fixed(text string) Phrase { return define(text, text) }

package phrase

// What is said about users.
var (
	NameHasAt       = define("不能含有 @", "must not hold an @")
	BadPhone        = define("应为 1 至 32 位数字、空格或 +-()", "must be 1 to 32 digits, spaces and +-()")
	BadEmail        = define("不是有效的邮箱地址", "is not a valid email address")
	BadCodeType     = define("应为 activation 或 password", "must be activation or password")
	NameTaken       = define("用户名已被使用", "the user name is taken")
	EmailTaken      = define("邮箱已被使用", "the email is taken")
	PasswordsDiffer = define("两次输入的密码不一致", "the two passwords differ")

	LoginIsMain = define("登录密码不能与主密码相同", "must differ from the main password")

	LoginWrong       = define("用户名、邮箱或密码错误", "the name, email or password is wrong")
	OldPasswordWrong = define("密码错误", "the password is wrong")
	NotActivated     = define("账号尚未激活，请先激活", "the account is not activated yet: activate it first")
	CodeWrong        = define("验证码错误或已过期", "the code is wrong or has expired")
	MailTooSoon      = define("邮件发送过于频繁，请在 %d 秒后再试", "a mail was sent just now: try again in %d seconds")

	Registered      = define("注册成功，请查收邮件激活账号", "registered: ask for the mail with the code and activate the account")
	CodeSent        = define("如果该邮箱可用，邮件已发送", "if the address can be used so, a mail is on its way")
	Activated       = define("激活成功", "the account is active")
	PasswordReset   = define("密码已重置", "the password was reset")
	ProfileUpdated  = define("个人资料已更新", "the profile was updated")
	PasswordChanged = define("密码已更新", "the password was changed")
	AccountClosing  = define("账号已注销，将于 %s 清除；此前登录即可保留", "the account is closed and will be erased on %s; logging in before then keeps it")
	AccountErased   = define("账号及其全部数据已清除", "the account and all that belonged to it were erased")

	LogIn         = define("请先登录", "log in first")
	NoSession     = define("没有这个会话", "there is no such session")
	SignedOut     = define("已退出登录", "signed out")
	SessionEnded  = define("会话已结束", "the session was ended")
	SessionsEnded = define("其他会话已全部结束", "all other sessions were ended")
)

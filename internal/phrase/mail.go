package phrase

// What letters say. Subjects hold nothing that a user typed.
var (
	MailCodeValid   = define("%d 分钟内有效（至 %s），只能使用一次。", "Valid for %d min, until %s. It works once.")
	MailCodeAdvice  = define("请勿把验证码告诉任何人。如果这不是您本人的操作，请忽略本邮件：没有验证码，任何人都无法继续。", "Never tell the code to anyone. If you did not ask for it, ignore this mail: without the code nobody gets any further.")
	MailFooter      = define("此邮件由凯撒密码自动发送，请勿回复。", "Sent by Caesar. Replies are not read.")
	MailFooterURL   = define("此邮件由凯撒密码（%s）自动发送，请勿回复。", "Sent by Caesar at %s. Replies are not read.")
	MailSenderLabel = define("凯撒密码", "Caesar")

	MailActivationSubject = define("凯撒密码：激活码", "Caesar: your activation code")
	MailActivation        = define("您正在激活账号“%s”，激活码是：", "The code that activates the account “%s”:")

	MailResetSubject = define("凯撒密码：重置登录密码的验证码", "Caesar: your code for a new login password")
	MailReset        = define("您正在重置账号“%s”的登录密码，验证码是：", "The code that sets a new login password for the account “%s”:")

	MailMemberSubject = define("凯撒密码：注册验证码", "Caesar: your registration code")
	MailMember        = define("您正在注册凯撒密码，验证码是：", "The code for your registration with Caesar:")

	MailClosingSubject = define("凯撒密码：账号已注销", "Caesar: your account is closed")
	MailClosing        = define("账号“%s”已注销，所有设备都已退出登录。", "The account “%s” is closed, and every session of it has ended.")
	MailClosingDay     = define("全部数据将于 %s 彻底删除。如需保留账号，请在此之前登录一次，一切都会恢复原样。", "On %s everything in it is erased. To keep it, log in before then: all will be as it was.")
	MailClosingAdvice  = define("如果这不是您本人的操作，请立即登录并修改登录密码。", "If this was not you, log in now and change your login password.")

	MailErasedSubject = define("凯撒密码：账号数据已彻底删除", "Caesar: your account is erased")
	MailErased        = define("账号“%s”的全部数据已从服务器上彻底删除，无法恢复。", "Everything in the account “%s” has been erased from the server. It cannot be brought back.")

	MailEmailSubject = define("凯撒密码：邮箱已更换", "Caesar: the address of your account was changed")
	MailEmail        = define("账号“%s”已更换邮箱，不再使用此地址；其他设备都已退出登录。", "The account “%s” has a new email address and no longer uses this one. Its other sessions have ended.")
	MailEmailAdvice  = define("如果这不是您本人的操作，请立即用用户名登录，改回邮箱并修改登录密码；若已无法登录，请联系服务器的管理员。", "If this was not you, log in now with your user name, set the address right and change your login password. If you cannot, ask whoever runs the server.")

	MailPasswordSubject = define("凯撒密码：登录密码已修改", "Caesar: your login password was changed")
	MailPassword        = define("账号“%s”的登录密码已修改，其他设备都已退出登录。", "The login password of the account “%s” was changed. Its other sessions have ended.")
	MailPasswordAdvice  = define("如果这不是您本人的操作，请立即重置登录密码。", "If this was not you, reset your login password now.")

	MailMainSubject = define("凯撒密码：主密码已修改", "Caesar: your main password was changed")
	MailMain        = define("账号“%s”的主密码已修改。", "The main password of the account “%s” was changed.")
	MailMainAdvice  = define("如果这不是您本人的操作，请立即修改登录密码，并联系服务器的管理员。", "If this was not you, change your login password now and ask whoever runs the server.")
)

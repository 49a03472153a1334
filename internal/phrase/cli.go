package phrase

// What the command line says.
var (
	CLIShort       = define("凯撒密码：保存在自己服务器上的密码", "Caesar keeps a person's passwords on a server of their own")
	CLIServe       = define("启动服务", "start the server")
	CLIServeMore   = define("每项设置都可以是参数、环境变量（--mail-from 即 CAESAR_MAIL_FROM）或 --config 文件中的一行，\n先者优先。", "Each setting is a flag, a variable of the environment (--mail-from is CAESAR_MAIL_FROM) or a line of the\nfile that --config names; what comes first of these wins.")
	CLIVersion     = define("显示版本", "show the version")
	CLIHelp        = define("显示帮助", "show this help")
	CLIUsage       = define("用法", "Usage")
	CLICommands    = define("命令", "Commands")
	CLIFlags       = define("参数", "Flags")
	CLITryHelp     = define("运行 %s --help 查看用法", "run %s --help to see how it is used")
	CLINoSuch      = define("没有此命令：%s", "there is no command %s")
	CLINoArguments = define("不接受参数：%s", "takes no arguments, but was given %s")
)

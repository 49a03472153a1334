package phrase

// HashesBusy is said when too many wait for their password to be checked.
var HashesBusy = define("正在验证密码的人过多，请稍后重试", "Too many passwords are being checked at this moment; try again shortly")

package phrase

// What captchas meet.
var CaptchaWrong = define("验证码错误或已过期，请刷新后重试", "The digits are wrong or have expired: get a new image and try again")

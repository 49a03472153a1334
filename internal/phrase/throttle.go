package phrase

// What those meet who try too often.
var TooManyAttempts = define("尝试过于频繁，请在 %d 秒后重试", "Too many attempts: try again in %d s")

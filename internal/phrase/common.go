package phrase

// What any request can meet.
var (
	InvalidRequest = define("请求内容有误，请检查标出的字段", "Some of what was sent is not right; see the fields named")
	Required       = define("必填", "is required")
	MustBeText     = define("必须是文本", "must be text")
	TooLong        = define("过长，最多 %d 个字符", "is too long: at most %d characters")
	TooShort       = define("过短，至少 %d 个字符", "is too short: at least %d characters")
	NoControls     = define("不能含有控制字符", "must not hold control characters")
	SentTwice      = define("重复出现", "was sent more than once")
)

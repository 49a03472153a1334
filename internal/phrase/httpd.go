package phrase

// What a request can meet before any domain sees it: its address, its method, its body, its origin.
var (
	NoSuchAddress    = define("没有这个接口地址", "There is nothing at this address")
	MethodNotAllowed = define("该地址不支持此请求方法", "This address does not take that method")
	CrossSite        = define("已拒绝跨站请求", "A cross-site request was refused")
	Internal         = define("服务器内部错误，请稍后重试；反馈问题时请附上请求编号", "Something went wrong on the server; try again later, and name the request id if you report it")

	BodyType      = define("请求体须为 UTF-8 编码的 application/json 或 application/x-www-form-urlencoded", "The body must be application/json or application/x-www-form-urlencoded, in UTF-8")
	BodyTooLarge  = define("请求体过大，最多 %d 字节", "The body is too large: at most %d bytes are taken")
	BodyNotWhole  = define("请求体未能完整接收", "The body did not arrive whole")
	BodyNotJSON   = define("请求体不是有效的 JSON", "The body is not valid JSON")
	BodyNotObject = define("请求体必须是一个 JSON 对象", "The body must be one JSON object")
	BodyTooDeep   = define("请求体的 JSON 嵌套过深", "The JSON of the body is nested too deep")
	BodyNotForm   = define("请求体不是有效的表单数据", "The body is not valid form data")
	BodyTooMany   = define("请求体的字段过多，最多 %d 个", "The body has too many fields: at most %d are taken")

	NotUnicode  = define("不是有效的 UTF-8 文本", "is not valid UTF-8 text")
	MustBeID    = define("必须是正整数编号", "must be an id: a positive whole number")
	MustBeRange = define("必须是 %d 到 %d 之间的整数", "must be a whole number from %d to %d")
)

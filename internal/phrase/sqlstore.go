package phrase

// What is said when the database can't do what was asked.
var (
	ShuttingDown = define("服务器正在停止，请稍后重试", "The server is shutting down; try again shortly")
	DatabaseBusy = define("数据库繁忙，请稍后重试", "The database is busy; try again shortly")
	StorageFull  = define("服务器存储空间已满", "The server has no room left to store this")
)

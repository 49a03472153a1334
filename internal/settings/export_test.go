package settings

// ParseFile shows the lines of a file of settings as name and value, and how many were broken.
func ParseFile(text string) (pairs [][2]string, broken int) {
	entries, faults := parseFile(text)
	for _, e := range entries {
		pairs = append(pairs, [2]string{e.name, e.value})
	}
	return pairs, len(faults)
}

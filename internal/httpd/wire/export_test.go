package wire

// Len returns how many values were sent.
func (f Fields) Len() int { return len(f.list) }

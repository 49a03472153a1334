package phrase

// Catalogue returns the texts of every phrase that was defined, in Chinese and in English.
func Catalogue() [][2]string {
	texts := make([][2]string, len(catalogue))
	for i, e := range catalogue {
		texts[i] = [2]string{e.chinese, e.english}
	}
	return texts
}

// Define makes a phrase that is not in the catalogue.
func Define(chinese, english string) Phrase {
	return Phrase{entry: &entry{chinese, english}}
}

package speak

import "strconv"

// Plain speaks to the servers that do nothing but what is needed: the one of bench/plain, and nginx, which
// sends files from the same folder.
type Plain struct{}

var _ Files = Plain{}

// Answer asks for a prepared answer of so many bytes.
func (Plain) Answer(b []byte, size int) []byte {
	return request(b, "GET", "/answer/"+strconv.Itoa(size), nothing, nothing, nil)
}

// Argon2id asks for a hash at the costs of a main password.
func (Plain) Argon2id(b []byte) []byte {
	return request(b, "GET", "/argon2id", nothing, nothing, nil)
}

// Upload implements Files.
func (Plain) Upload(_ Session, name string, size int64) (whole, tail []byte) {
	return head(nil, "PUT", "/files/"+name, nothing, "application/octet-stream", size), nil
}

// Uploaded implements Files.
func (Plain) Uploaded(body []byte) (File, error) { return File{Name: string(body)}, nil }

// Download implements Files.
func (Plain) Download(b []byte, _ Session, f File) []byte {
	return request(b, "GET", "/files/"+f.Name, nothing, nothing, nil)
}

// Remove implements Files.
func (Plain) Remove(b []byte, _ Session, f File) []byte {
	return request(b, "DELETE", "/files/"+f.Name, nothing, nothing, nil)
}

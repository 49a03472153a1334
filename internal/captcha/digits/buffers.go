package digits

import (
	"image/png"
	"sync"
)

// pool keeps the encoder's working memory, nearly all of what drawing would allocate.
type pool struct{ sync.Pool }

var buffers pool

// Get implements png.EncoderBufferPool.
func (p *pool) Get() *png.EncoderBuffer {
	buffer, _ := p.Pool.Get().(*png.EncoderBuffer)
	return buffer
}

// Put implements png.EncoderBufferPool.
func (p *pool) Put(buffer *png.EncoderBuffer) { p.Pool.Put(buffer) }

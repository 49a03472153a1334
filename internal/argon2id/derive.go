// Copyright 2017 The Go Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE.golang file.

package argon2id

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"golang.org/x/crypto/blake2b"
)

const (
	version     = 0x13
	argon2id    = 2 // the type y of RFC 9106, section 3.2
	blockLength = 128
	syncPoints  = 4
)

// block is 1 KiB of the memory.
type block [blockLength]uint64

// input is what is hashed. Secret and data are part of the standard and of its test vectors.
type input struct {
	password, salt, secret, data []byte
}

// deriveKey computes the key in the memory B, whose former content does not matter. It gives up between
// two slices when ctx ends.
func deriveKey(ctx context.Context, B []block, in input, p Params, keyLen uint32) ([]byte, error) {
	h0 := initHash(in, p, keyLen)
	lanes := uint32(p.Lanes)
	initBlocks(&h0, B, lanes)
	clear(h0[:])
	for n := range p.Passes {
		for slice := range uint32(syncPoints) {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("compute hash: %w", err)
			}
			processSlice(B, n, slice, p)
		}
	}
	return extractKey(B, lanes, keyLen), nil
}

func initHash(in input, p Params, keyLen uint32) [blake2b.Size + 8]byte {
	var (
		h0     [blake2b.Size + 8]byte
		params [24]byte
		length [4]byte
	)
	b2, _ := blake2b.New512(nil)
	binary.LittleEndian.PutUint32(params[0:4], uint32(p.Lanes))
	binary.LittleEndian.PutUint32(params[4:8], keyLen)
	binary.LittleEndian.PutUint32(params[8:12], p.MemoryKiB)
	binary.LittleEndian.PutUint32(params[12:16], p.Passes)
	binary.LittleEndian.PutUint32(params[16:20], version)
	binary.LittleEndian.PutUint32(params[20:24], argon2id)
	b2.Write(params[:])
	for _, part := range [][]byte{in.password, in.salt, in.secret, in.data} {
		binary.LittleEndian.PutUint32(length[:], uint32(len(part)))
		b2.Write(length[:])
		b2.Write(part)
	}
	b2.Sum(h0[:0])
	return h0
}

// initBlocks fills the first two blocks of each lane.
func initBlocks(h0 *[blake2b.Size + 8]byte, B []block, lanes uint32) {
	var block0 [1024]byte
	for lane := range lanes {
		j := lane * (uint32(len(B)) / lanes)
		binary.LittleEndian.PutUint32(h0[blake2b.Size+4:], lane)
		for column := range uint32(2) {
			binary.LittleEndian.PutUint32(h0[blake2b.Size:], column)
			blake2bHash(block0[:], h0[:])
			for i := range B[j+column] {
				B[j+column][i] = binary.LittleEndian.Uint64(block0[i*8:])
			}
		}
	}
	clear(block0[:])
}

// processSlice fills one slice of every lane.
func processSlice(B []block, n, slice uint32, p Params) {
	if p.Lanes == 1 {
		processSegment(B, n, slice, 0, p)
		return
	}
	var wg sync.WaitGroup
	for lane := range uint32(p.Lanes) {
		wg.Go(func() { processSegment(B, n, slice, lane, p) })
	}
	wg.Wait()
}

func processSegment(B []block, n, slice, lane uint32, p Params) {
	threads := uint32(p.Lanes)
	lanes := uint32(len(B)) / threads // blocks in a lane
	segments := lanes / syncPoints    // blocks in a segment

	var addresses, in, zero block
	independent := n == 0 && slice < syncPoints/2
	if independent {
		in[0] = uint64(n)
		in[1] = uint64(lane)
		in[2] = uint64(slice)
		in[3] = uint64(len(B))
		in[4] = uint64(p.Passes)
		in[5] = argon2id
	}

	index := uint32(0)
	if n == 0 && slice == 0 {
		index = 2 // the first two blocks are there already
		in[6]++
		processBlock(&addresses, &in, &zero)
		processBlock(&addresses, &addresses, &zero)
	}

	offset := lane*lanes + slice*segments + index
	for ; index < segments; index, offset = index+1, offset+1 {
		prev := offset - 1
		if index == 0 && slice == 0 {
			prev += lanes // last block in lane
		}
		random := B[prev][0]
		if independent {
			if index%blockLength == 0 {
				in[6]++
				processBlock(&addresses, &in, &zero)
				processBlock(&addresses, &addresses, &zero)
			}
			random = addresses[index%blockLength]
		}
		ref := indexAlpha(random, lanes, segments, threads, n, slice, lane, index)
		if n == 0 {
			// The memory holds what an earlier hash left in it: the first pass overwrites.
			processBlock(&B[offset], &B[prev], &B[ref])
		} else {
			processBlockXOR(&B[offset], &B[prev], &B[ref])
		}
	}
}

// extractKey hashes the last blocks of all lanes to the key, and wipes the one that would give it away.
func extractKey(B []block, threads, keyLen uint32) []byte {
	memory := uint32(len(B))
	lanes := memory / threads
	for lane := range threads - 1 {
		for i, v := range B[(lane*lanes)+lanes-1] {
			B[memory-1][i] ^= v
		}
	}
	var last [1024]byte
	for i, v := range B[memory-1] {
		binary.LittleEndian.PutUint64(last[i*8:], v)
	}
	key := make([]byte, keyLen)
	blake2bHash(key, last[:])
	clear(last[:])
	clear(B[memory-1][:])
	return key
}

func indexAlpha(rand uint64, lanes, segments, threads, n, slice, lane, index uint32) uint32 {
	refLane := uint32(rand>>32) % threads
	if n == 0 && slice == 0 {
		refLane = lane
	}
	m, s := 3*segments, ((slice+1)%syncPoints)*segments
	if lane == refLane {
		m += index
	}
	if n == 0 {
		m, s = slice*segments, 0
		if slice == 0 || lane == refLane {
			m += index
		}
	}
	if index == 0 || lane == refLane {
		m--
	}
	return phi(rand, uint64(m), uint64(s), refLane, lanes)
}

func phi(rand, m, s uint64, lane, lanes uint32) uint32 {
	p := rand & 0xFFFFFFFF
	p = (p * p) >> 32
	p = (p * m) >> 32
	return lane*lanes + uint32((s+m-(p+1))%uint64(lanes))
}

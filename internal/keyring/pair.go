package keyring

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

const (
	rsaBits    = 2048 // what every Bitwarden client reads
	sparePairs = 2
)

// pair is an RSA key pair in DER: SubjectPublicKeyInfo and PKCS #8.
type pair struct {
	public, private []byte
}

// pairMaker makes RSA pairs, one at a time, and a few ahead: making one takes longer than all else in a
// registration, and a crowd of registrations must not fill every core with it.
type pairMaker struct {
	spare chan pair
	turn  chan struct{} // holds one token while a pair is made
}

func newPairMaker() *pairMaker {
	return &pairMaker{make(chan pair, sparePairs), make(chan struct{}, 1)}
}

// take returns a pair: a spare one, else one it makes or one that another caller makes meanwhile. It then
// sees to the next.
func (m *pairMaker) take(ctx context.Context) (pair, error) {
	defer m.refill()
	select {
	case p := <-m.spare:
		return p, nil
	default:
	}
	select {
	case p := <-m.spare:
		return p, nil
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
		return makePair()
	case <-ctx.Done():
		return pair{}, ctx.Err()
	}
}

// refill makes spare pairs in the background, unless somebody is at it. It waits for nobody, so that no
// more than one is ever on its way.
func (m *pairMaker) refill() {
	go func() {
		for len(m.spare) < cap(m.spare) {
			select {
			case m.turn <- struct{}{}:
			default:
				return
			}
			p, err := makePair()
			<-m.turn
			if err != nil {
				return // the next to take a pair meets the error itself
			}
			select {
			case m.spare <- p:
			default:
			}
		}
	}()
}

func makePair() (pair, error) {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return pair{}, fmt.Errorf("generate RSA key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return pair{}, fmt.Errorf("encode public key: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair{}, fmt.Errorf("encode private key: %w", err)
	}
	return pair{public, private}, nil
}

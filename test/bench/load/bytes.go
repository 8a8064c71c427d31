package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
)

const (
	blockSize = 1 << 20
	pieceSize = 64 << 10
	// step is how far each block is turned against the one before it, so that a
	// block that is missing or comes twice shows.
	step = 4099
)

// noise is one block, twice in a row: any turn of it is a piece of that.
var noise = sync.OnceValue(func() []byte {
	b := make([]byte, 2*blockSize)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b[:blockSize]) // never fails
	copy(b[blockSize:], b)
	return b
})

// piece is what stands at an offset, up to the next border.
func piece(offset int64) []byte {
	turn := int(offset / blockSize * step % blockSize)
	from := int(offset % blockSize)
	to := from - from%pieceSize + pieceSize
	return noise()[turn+from : turn+to]
}

// Send writes the first n bytes of the noise, in pieces of 64 KiB.
func Send(w io.Writer, n int64) error {
	for sent := int64(0); sent < n; {
		p := piece(sent)
		p = p[:min(int64(len(p)), n-sent)]
		if _, err := w.Write(p); err != nil {
			return err
		}
		sent += int64(len(p))
	}
	return nil
}

// Check reads n bytes and no more, and wants them to be the first n of the noise. It
// gives how many were, to the nearest piece; the error tells why not all.
func Check(r io.Reader, n int64) (good int64, err error) {
	buf := make([]byte, pieceSize)
	for good < n {
		got, err := r.Read(buf[:min(pieceSize, n-good)])
		for rest := buf[:got]; len(rest) > 0; {
			want := piece(good)
			want = want[:min(len(want), len(rest))]
			if !bytes.Equal(rest[:len(want)], want) {
				return good, fmt.Errorf("other bytes than were sent, from byte %d on", good)
			}
			good += int64(len(want))
			rest = rest[len(want):]
		}
		if err != nil && good < n {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return good, err
		}
	}
	return good, nil
}

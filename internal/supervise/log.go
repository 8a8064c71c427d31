package supervise

import (
	"errors"
	"io"
)

// closeAll are things that end in turn.
type closeAll []io.Closer

func (c closeAll) Close() (err error) {
	for _, one := range c {
		err = errors.Join(err, one.Close())
	}
	return err
}

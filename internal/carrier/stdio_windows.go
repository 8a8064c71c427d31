package carrier

import (
	"errors"
	"fmt"
	"io"
)

// takeStdio has no use on Windows yet: the agent is a Linux program.
func takeStdio() (io.ReadWriteCloser, error) {
	return nil, fmt.Errorf("take stdio: %w", errors.ErrUnsupported)
}

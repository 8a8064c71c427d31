package carrier

import (
	"context"
	"errors"
)

func runLine(context.Context, string, func()) (uint32, error) { return 0, errors.ErrUnsupported }

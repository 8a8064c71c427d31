package carrier

import (
	"context"

	"golang.org/x/sys/windows"
)

func runLine(ctx context.Context, line string, started func()) (uint32, error) {
	return birth{line: line, flags: windows.CREATE_NO_WINDOW}.runToEnd(ctx, started)
}

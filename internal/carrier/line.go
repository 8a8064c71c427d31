package carrier

import "context"

// RunLine runs a program to its end and returns its exit code. line is what
// Windows' CreateProcess takes as lpCommandLine, and reaches it as it is: Windows
// finds the program in it, and nobody quotes it anew. started is called when the
// program runs.
//
// It gets no stdio of ours but a hidden console of its own. It and what it starts die
// with us, with it, and when ctx ends, which reads as the exit code 0 unless the program
// was quicker. An error says that it did not start, and holds Windows' own.
// Elsewhere that is errors.ErrUnsupported.
func RunLine(ctx context.Context, line string, started func()) (code uint32, err error) {
	return runLine(ctx, line, started)
}

package files

import "os"

func openShared(path string) (*os.File, error) { return os.Open(path) }

// isHeld is never so: an open file can be removed and replaced.
func isHeld(error) bool { return false }

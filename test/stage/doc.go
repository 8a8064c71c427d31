//go:build !linux

// Package stage puts the parts of the testbed together. They are Linux
// programs, so it has nothing to offer elsewhere.
package stage

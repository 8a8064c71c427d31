//go:build !windows

package deploy

import "runtime"

func nativeArch() string { return runtime.GOARCH }

package deploy

import (
	"debug/pe"
	"runtime"

	"golang.org/x/sys/windows"
)

// nativeArch asks for the machine itself; GetNativeSystemInfo would tell an emulated
// program what it wants to hear.
func nativeArch() string {
	var process, machine uint16
	if windows.IsWow64Process2(windows.CurrentProcess(), &process, &machine) != nil {
		return runtime.GOARCH
	}
	switch machine {
	case pe.IMAGE_FILE_MACHINE_ARM64:
		return "arm64"
	case pe.IMAGE_FILE_MACHINE_AMD64:
		return "amd64"
	}
	return runtime.GOARCH
}

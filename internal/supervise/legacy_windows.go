package supervise

import "golang.org/x/sys/windows"

// OriginalArgs takes the command line apart as that program did, by CommandLineToArgvW,
// whose rules for quotes are not those of Go's os.Args.
func OriginalArgs(args []string) []string {
	words, err := windows.DecomposeCommandLine(windows.UTF16PtrToString(windows.GetCommandLine()))
	if err != nil || len(words) == 0 {
		return args
	}
	return words[1:]
}

func debuggerPresent() bool {
	present, _, _ := windows.NewLazySystemDLL("kernel32.dll").NewProc("IsDebuggerPresent").Call()
	return present != 0
}

package state

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// removeIn removes what is in a directory. Wine 8 does not know how without the way to it, and has no links
// that could lie there.
func removeIn(root *os.Root, name string) error {
	err := root.Remove(name)
	if errors.Is(err, windows.ERROR_INVALID_FUNCTION) && windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		return os.Remove(filepath.Join(root.Name(), name))
	}
	return err
}

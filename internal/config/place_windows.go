package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/windows"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

func machineFile() string {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		return ""
	}
	return dir + `\` + dirName + `\` + fileName
}

// administrators are the system, the administrators and the system's installer.
var administrators = []string{
	"S-1-5-18", "S-1-5-32-544",
	"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
}

func openTrustedFile(name string) (*os.File, error) {
	f, err := files.OpenShared(name)
	if err != nil {
		return nil, err
	}
	sd, err := windows.GetSecurityInfo(windows.Handle(f.Fd()), windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err == nil {
		err = judgeFileOwner(name, sd)
	}
	if err == nil {
		dir := filepath.Dir(name)
		if sd, err = windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION); err == nil {
			err = judgeFileOwner(dir, sd)
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func judgeFileOwner(name string, sd *windows.SECURITY_DESCRIPTOR) error {
	owner, _, err := sd.Owner()
	if err != nil {
		return err
	}
	if owner == nil || !slices.Contains(administrators, owner.String()) {
		return fmt.Errorf("%s belongs to %v: %w", printable.Line(name), owner, ErrUntrusted)
	}
	return nil
}

package bridge

import "github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"

// cDrive is a distro with drive C.
func cDrive() (paths.Drives, error) {
	return paths.ReadDrives("1 0 8:1 / / rw - ext4 /dev/sdc rw\n2 1 0:50 / /mnt/c rw,noatime - 9p C:\\134 rw,dirsync,aname=drvfs;path=C:\\;uid=1000\n", nil), nil
}

package endpoint

import (
	"errors"
	"net"

	"golang.org/x/sys/windows"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
)

// pipeOwner asks for the owner of a connected pipe, through its handle, and for the user
// that we run as. A pipe without an owner has an empty one.
func pipeOwner(conn net.Conn) (owner, self string, err error) {
	pipe, ok := conn.(interface{ Fd() uintptr }) // go-winio's file has it
	if !ok {
		return "", "", errors.ErrUnsupported
	}
	sd, err := windows.GetSecurityInfo(windows.Handle(pipe.Fd()), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return "", "", err
	}
	sid, _, err := sd.Owner()
	if err != nil {
		return "", "", err
	}
	if self, err = carrier.OwnSID(); err != nil || sid == nil {
		return "", self, err
	}
	return sid.String(), self, nil
}

func lookupAccountName(sid string) string {
	id, err := windows.StringToSid(sid)
	if err != nil {
		return ""
	}
	name, domain, _, err := id.LookupAccount("")
	if err != nil {
		return ""
	}
	return domain + `\` + name
}

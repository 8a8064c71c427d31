package engine

import "golang.org/x/sys/windows"

func isMember(group string) (bool, error) {
	sid, _, _, err := windows.LookupSID("", group)
	if err != nil {
		return false, ErrNoGroup
	}
	return windows.Token(0).IsMember(sid) // 0: this thread's
}

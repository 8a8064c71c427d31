package service

import (
	"context"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// subscription is DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS of powrprof.h.
type subscription struct {
	callback uintptr
	context  uintptr
}

// deviceNotifyCallback is DEVICE_NOTIFY_CALLBACK: no window is needed.
const deviceNotifyCallback = 2

// onResume needs Windows 8. The callback is a thread's of Windows, and must not wait.
func onResume(ctx context.Context, tell func()) bool {
	powrprof := windows.NewLazySystemDLL("powrprof.dll")
	register := powrprof.NewProc("PowerRegisterSuspendResumeNotification")
	unregister := powrprof.NewProc("PowerUnregisterSuspendResumeNotification")
	if register.Find() != nil || unregister.Find() != nil {
		return false
	}
	s := &subscription{callback: syscall.NewCallback(func(_, event, _ uintptr) uintptr {
		if events[request{power, uint32(event)}] == Resume {
			tell()
		}
		return 0
	})}
	var handle uintptr
	if code, _, _ := register.Call(deviceNotifyCallback, uintptr(unsafe.Pointer(s)), uintptr(unsafe.Pointer(&handle))); code != 0 {
		return false
	}
	context.AfterFunc(ctx, func() {
		_, _, _ = unregister.Call(handle) // the process is about to end
		runtime.KeepAlive(s)
	})
	return true
}

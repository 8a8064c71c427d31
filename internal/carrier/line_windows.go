package carrier

import (
	"context"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// jobList is PROC_THREAD_ATTRIBUTE_JOB_LIST: the process is born in the job, so nothing
// that it starts is outside, and no moment is left in which we could die and leave it.
const jobList = 0x0002000D

func runLine(ctx context.Context, line string, started func()) (uint32, error) {
	job, err := newJob()
	if err != nil {
		return 0, err
	}
	defer windows.CloseHandle(job)
	process, err := startLine(line, job)
	if err != nil {
		return 0, err
	}
	defer windows.CloseHandle(process)
	ended := context.AfterFunc(ctx, func() { windows.TerminateJobObject(job, 0) })
	defer ended()
	started()
	if _, err := windows.WaitForSingleObject(process, windows.INFINITE); err != nil {
		return 0, fmt.Errorf("wait for process: %w", err)
	}
	var code uint32
	if err := windows.GetExitCodeProcess(process, &code); err != nil {
		return 0, fmt.Errorf("ask for exit code: %w", err)
	}
	return code, nil
}

// startLine starts a process without a window in job.
func startLine(line string, job windows.Handle) (windows.Handle, error) {
	text, err := windows.UTF16PtrFromString(line)
	if err != nil {
		return 0, fmt.Errorf("start process: %w", err)
	}
	attributes, err := windows.NewProcThreadAttributeList(1)
	if err != nil {
		return 0, fmt.Errorf("start process: %w", err)
	}
	defer attributes.Delete()
	if err := attributes.Update(jobList, unsafe.Pointer(&job), unsafe.Sizeof(job)); err != nil {
		return 0, fmt.Errorf("assign to job: %w", err)
	}
	startup := windows.StartupInfoEx{ProcThreadAttributeList: attributes.List()}
	startup.Cb = uint32(unsafe.Sizeof(startup))
	var process windows.ProcessInformation
	err = windows.CreateProcess(nil, text, nil, nil, false,
		windows.CREATE_NO_WINDOW|windows.EXTENDED_STARTUPINFO_PRESENT, nil, nil, &startup.StartupInfo, &process)
	if err != nil {
		return 0, fmt.Errorf("start process: %w", err)
	}
	windows.CloseHandle(process.Thread)
	return process.Process, nil
}

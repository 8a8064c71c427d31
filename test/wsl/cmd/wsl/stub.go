package main

// stubVariable makes this the wsl.exe that Windows has in System32 where WSL is
// not installed: "text" for the one that says so, "usage" for an older one, which
// answers everything with its usage.
const stubVariable = "WSL_STANDIN_STUB"

// stub answers as it does. It has not heard of WSL_UTF8.
func stub(kind string, p printer) uint32 {
	p.utf8 = false
	if kind == "usage" {
		p.print(msgUsage)
	} else {
		p.print(msgNotInstalled)
	}
	return failed
}

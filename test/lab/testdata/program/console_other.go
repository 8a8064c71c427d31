//go:build !windows

package main

import "syscall"

func noWindow() *syscall.SysProcAttr { return nil }

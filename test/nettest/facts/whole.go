package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// What an error is, through and through: its text, then it and each error within it with their fields, then what it says of itself.
func whole(err error, names names) string {
	if err == nil {
		return "ok"
	}
	if err.Error() == "EOF" {
		return "EOF"
	}
	var chain []string
	for at := err; at != nil; at = errors.Unwrap(at) {
		chain = append(chain, described(at))
	}
	text := err.Error() + " | " + strings.Join(chain, ", ")
	if e, ok := err.(net.Error); ok {
		if e.Timeout() {
			text += ", timeout"
		}
		if e.Temporary() {
			text += ", temporary"
		}
	}
	for _, is := range []struct {
		what error
		name string
	}{
		{os.ErrDeadlineExceeded, "deadline"}, {net.ErrClosed, "closed"}, {context.DeadlineExceeded, "context deadline"}, {context.Canceled, "context canceled"},
	} {
		if errors.Is(err, is.what) {
			text += ", " + is.name
		}
	}
	return strings.NewReplacer(names...).Replace(text)
}

func described(err error) string {
	addr := func(a net.Addr) string {
		if a == nil {
			return "-"
		}
		return a.String()
	}
	switch err {
	case io.ErrClosedPipe:
		return "ClosedPipeError"
	case net.ErrWriteToConnected:
		return "WriteToConnectedError"
	}
	switch e := err.(type) {
	case *net.OpError:
		return fmt.Sprintf("OpError(%s %s %s %s)", e.Op, e.Net, addr(e.Source), addr(e.Addr))
	case *os.SyscallError:
		return fmt.Sprintf("SyscallError(%s)", e.Syscall)
	case syscall.Errno:
		return fmt.Sprintf("Errno(%d)", int(e))
	case *net.AddrError:
		return fmt.Sprintf("AddrError(%s, %s)", e.Err, e.Addr)
	case *net.ParseError:
		return fmt.Sprintf("ParseError(%s, %s)", e.Type, e.Text)
	case *net.DNSError:
		return fmt.Sprintf("DNSError(%s, %s, %s, %t, %t, %t)", e.Err, e.Name, e.Server, e.IsNotFound, e.IsTimeout, e.IsTemporary)
	}
	switch name := strings.TrimPrefix(fmt.Sprintf("%T", err), "*"); name {
	case "errors.errorString":
		return "Error"
	case "poll.errNetClosing", "net.errClosed":
		return "ClosedError"
	case "poll.DeadlineExceededError":
		return "DeadlineExceededError"
	case "net.timeoutError", "context.deadlineExceededError":
		return "DialTimeoutError"
	case "net.canceledError":
		return "CanceledError"
	default:
		return strings.TrimPrefix(name, "net.")
	}
}

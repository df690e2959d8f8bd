package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// The scenes of this file say what errors are, through and through (whole.go). Those that are named "away: " need what away.sh sets up.

func addr(text string) *net.TCPAddr {
	if text == "nil" {
		return nil
	}
	a := must(net.ResolveTCPAddr("tcp", text))
	return a
}

var locals = []string{"nil", ":0", "0.0.0.0:0", "[::]:0", "127.0.0.1:0", "[::1]:0", "192.0.2.77:0", "[2001:db8::77]:0"}
var remotes = []string{"127.0.0.1:9", "[::1]:9", ":9", "0.0.0.0:9", "[::]:9", "127.0.0.1:0"}

func matrices() {
	for _, network := range []string{"tcp", "tcp4", "tcp6"} {
		scene("whole: dialTCP "+network, func(say func(string)) {
			for _, l := range locals {
				for _, r := range remotes {
					c, err := net.DialTCP(network, addr(l), addr(r))
					if err == nil {
						c.Close()
					}
					say(l + " " + r + ": " + whole(err, nil))
				}
			}
		})
		scene("whole: dial from "+network, func(say func(string)) {
			for _, l := range locals[1:] {
				for _, r := range remotes {
					c, err := (&net.Dialer{LocalAddr: addr(l)}).Dial(network, r)
					if err == nil {
						c.Close()
					}
					say(l + " " + r + ": " + whole(err, nil))
				}
			}
		})
		scene("whole: listenTCP "+network, func(say func(string)) {
			for _, l := range append(append([]string{}, locals...), "[::ffff:127.0.0.1]:0", "255.255.255.255:0", "[ff02::1]:0", "[fe80::77]:0", "[fe80::77%nowhere]:0", "[::1%nowhere]:0", "127.5.5.5:0", "0.0.0.5:0") {
				c, err := net.ListenTCP(network, addr(l))
				if err == nil {
					say(l + ": " + c.Addr().(*net.TCPAddr).IP.String() + " " + c.Addr().(*net.TCPAddr).Zone)
					c.Close()
					continue
				}
				say(l + ": " + whole(err, nil))
			}
		})
	}
	for _, network := range []string{"udp", "udp4", "udp6"} {
		udp := func(text string) *net.UDPAddr {
			if text == "nil" {
				return nil
			}
			return must(net.ResolveUDPAddr("udp", text))
		}
		scene("whole: dialUDP "+network, func(say func(string)) {
			for _, l := range locals {
				for _, r := range remotes {
					c, err := net.DialUDP(network, udp(l), udp(r))
					if err == nil {
						say(fmt.Sprintf("%s %s: %s %s", l, r, c.LocalAddr().(*net.UDPAddr).IP, c.RemoteAddr()))
						c.Close()
						continue
					}
					say(l + " " + r + ": " + whole(err, nil))
				}
			}
		})
		scene("whole: listenUDP "+network, func(say func(string)) {
			for _, l := range append(append([]string{}, locals...), "[::ffff:127.0.0.1]:0", "[fe80::77]:0", "[::1%nowhere]:0", "127.5.5.5:0", "224.0.0.254:0", "[ff02::fb]:0", "255.255.255.255:0") {
				c, err := net.ListenUDP(network, udp(l))
				if err == nil {
					say(l + ": " + c.LocalAddr().(*net.UDPAddr).IP.String())
					c.Close()
					continue
				}
				say(l + ": " + whole(err, nil))
			}
		})
	}
	scene("whole: dials of odd addresses", func(say func(string)) {
		for _, r := range []string{
			"255.255.255.255:9", "224.0.0.1:9", "0.0.0.1:9", "240.0.0.1:9", "127.255.255.255:9", "127.9.9.9:9", "[ff02::1]:9", "[fe80::1]:9", "[fe80::1%nowhere]:9", "[::1%nowhere]:9",
			"[::ffff:127.0.0.1]:9", "[::127.0.0.1]:9", "100.64.0.1:9", "[2001:db8::1]:9", "[100::1]:9", "[::1]:0", "127.0.0.1:0", "127.0.0.1:discard",
		} {
			for _, network := range []string{"tcp", "tcp4", "tcp6"} {
				_, err := (&net.Dialer{Resolver: &net.Resolver{PreferGo: true}}).Dial(network, r)
				say(network + " " + r + ": " + whole(err, nil))
			}
		}
	})
	scene("whole: a second listenPacket on a port", func(say func(string)) {
		forms := [][2]string{
			{"udp", ""}, {"udp", "127.0.0.1"}, {"udp", "0.0.0.0"}, {"udp", "[::ffff:0.0.0.0]"}, {"udp", "[::]"}, {"udp4", ""}, {"udp4", "0.0.0.0"}, {"udp6", ""}, {"udp6", "[::]"}, {"udp", "[::1]"}, {"udp4", "127.0.0.1"},
		}
		for _, first := range forms {
			for _, second := range forms {
				one := must(net.ListenPacket(first[0], first[1]+":0"))
				port := one.LocalAddr().(*net.UDPAddr).Port
				two, err := net.ListenPacket(second[0], fmt.Sprintf("%s:%d", second[1], port))
				said := whole(err, names{fmt.Sprint(":", port), ":PORT"})
				if err == nil {
					said = two.LocalAddr().(*net.UDPAddr).IP.String()
					two.Close()
				}
				say(fmt.Sprintf("%s %s, %s %s: %s", first[0], first[1], second[0], second[1], said))
				one.Close()
			}
		}
	})
	scene("whole: who reaches whom", func(say func(string)) {
		for _, l := range [][2]string{
			{"tcp", ""}, {"tcp", "0.0.0.0"}, {"tcp", "[::ffff:0.0.0.0]"}, {"tcp", "[::]"}, {"tcp4", ""}, {"tcp4", "0.0.0.0"}, {"tcp6", ""}, {"tcp6", "[::]"}, {"tcp", "127.0.0.1"}, {"tcp", "[::1]"}, {"tcp", "[::ffff:127.0.0.1]"},
		} {
			ln := must(net.Listen(l[0], l[1]+":0"))
			port := ln.Addr().(*net.TCPAddr).Port
			for _, network := range []string{"tcp", "tcp4", "tcp6"} {
				for _, to := range []string{"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "", "0.0.0.0", "[::]", "127.0.0.9"} {
					c, err := net.Dial(network, fmt.Sprintf("%s:%d", to, port))
					if err != nil {
						say(fmt.Sprintf("%s %s, %s %s: %s", l[0], l[1], network, to, whole(err, names{fmt.Sprint(":", port), ":PORT"})))
						continue
					}
					a := must(ln.Accept())
					say(fmt.Sprintf("%s %s, %s %s: %s %s, %s %s", l[0], l[1], network, to, c.LocalAddr().(*net.TCPAddr).IP, c.RemoteAddr().(*net.TCPAddr).IP, a.LocalAddr().(*net.TCPAddr).IP, a.RemoteAddr().(*net.TCPAddr).IP))
					c.Close()
					a.Close()
				}
			}
			ln.Close()
		}
	})
	scene("whole: what addresses are", func(say func(string)) {
		for _, text := range []string{
			"0.0.0.0", "0.0.0.1", "10.0.0.1", "11.0.0.1", "127.0.0.1", "128.0.0.1", "169.254.1.1", "169.255.1.1", "172.15.0.1", "172.16.0.1", "172.31.255.255", "172.32.0.0", "192.168.0.1", "192.169.0.1", "223.255.255.255", "224.0.0.0",
			"224.0.0.255", "224.0.1.0", "239.1.1.1", "240.0.0.1", "255.255.255.255", "255.255.255.254", "::", "::1", "::2", "fbff::1", "fc00::1", "fdff::1", "fe00::1", "fe80::1", "febf::1", "fec0::1", "ff01::1", "ff02::1", "ff11::1", "ff12::1", "ff05::1", "ff0e::1", "2001:db8::1",
		} {
			ip := net.ParseIP(text)
			say(fmt.Sprint(text, " ", ip.IsUnspecified(), ip.IsLoopback(), ip.IsPrivate(), ip.IsMulticast(), ip.IsInterfaceLocalMulticast(), ip.IsLinkLocalMulticast(), ip.IsLinkLocalUnicast(), ip.IsGlobalUnicast(),
				" ", ip.Mask(net.CIDRMask(12, 32)), " ", ip.Mask(net.CIDRMask(108, 128)), " ", ip.Mask(net.CIDRMask(7, 128)), " ", ip.Mask(net.IPv4Mask(255, 0, 255, 0))))
		}
	})
	scene("whole: two who listen to a group", func(say func(string)) {
		one := must(net.ListenPacket("udp4", "224.0.0.254:0")).(*net.UDPConn)
		at := one.LocalAddr().(*net.UDPAddr).Port
		n := names{fmt.Sprint(":", at), ":PORT"}
		for _, a := range []string{"224.0.0.254", "224.0.0.253", "127.0.0.1", "", "0.0.0.0"} {
			for _, network := range []string{"udp", "udp4"} {
				two, err := net.ListenPacket(network, fmt.Sprintf("%s:%d", a, at))
				if err == nil {
					say(network + " " + a + ": " + strings.NewReplacer(n...).Replace(two.LocalAddr().String()))
					two.Close()
					continue
				}
				say(network + " " + a + ": " + whole(err, n))
			}
		}
		one.Close()
	})
	scene("whole: resolveTCPAddr", func(say func(string)) {
		for _, network := range []string{"tcp", "tcp4", "tcp6", "", "udp", "http"} {
			for _, a := range []string{
				"", ":", ":80", "127.0.0.1:80", "[::1]:80", "[::ffff:1.2.3.4]:80", "[fe80::1%eth0]:80", "[::%z]:80", "[1.2.3.4]:80", "1.2.3.4", "::1", "[::1]", "[::1]80", "[::1]:80:90", ":65536", ":-1",
				":+80", ":00080", ":http", ":HTTPS", ":nosuch", ":0x50", ":99999999999x", "[::]:0", "0.0.0.0:0", "[]:80", "[:80", "]:80",
			} {
				got, err := net.ResolveTCPAddr(network, a)
				if err != nil {
					say(network + " " + a + ": " + whole(err, nil))
				} else {
					say(network + " " + a + ": " + got.String())
				}
			}
		}
	})
	scene("whole: lookupPort", func(say func(string)) {
		for _, network := range []string{"tcp", "tcp4", "udp", "udp6", "", "ip", "bad", "TCP"} {
			for _, service := range []string{"0", "80", "65535", "65536", "-1", "http", "HTTP", "domain", "nosuch", "", "+", "99999999999", "99999999999x", "1 "} {
				got, err := (&net.Resolver{PreferGo: true}).LookupPort(context.Background(), network, service)
				if err != nil {
					say(network + " " + service + ": " + whole(err, nil))
				} else {
					say(fmt.Sprintf("%s %s: %d", network, service, got))
				}
			}
		}
	})
	scene("whole: parseCIDR", func(say func(string)) {
		for _, text := range []string{"", "10.9.0.1", "10.9.0.1/", "10.9.0.1/33", "10.9.0.1/-1", "10.9.0.1/08", "10.9.0.1/24", "10.9.0.1/+8", "::1/129", "fe80::1%a/64", "2001:db8::1/48", "::ffff:1.2.3.4/104", "01.2.3.4/8", "/8", "x/8", "0.0.0.0/0", "::/0", "1.2.3.4/8/8"} {
			ip, n, err := net.ParseCIDR(text)
			if err != nil {
				say(text + ": " + whole(err, nil))
			} else {
				say(fmt.Sprintf("%s: %s %s %s", text, ip, n, n.Mask))
			}
		}
	})
}

type ownError struct{ timeout, temporary bool }

func (ownError) Error() string     { return "own" }
func (e ownError) Timeout() bool   { return e.timeout }
func (e ownError) Temporary() bool { return e.temporary }

func dialers() {
	scene("whole: what control returns", func(say func(string)) {
		for _, refusal := range []error{
			errors.New("no"), syscall.EINVAL, syscall.ETIMEDOUT, syscall.ECONNRESET, os.NewSyscallError("setsockopt", syscall.ENOPROTOOPT), os.NewSyscallError("setsockopt", syscall.ETIMEDOUT),
			net.ErrClosed, os.ErrDeadlineExceeded, &net.AddrError{Err: "no", Addr: "1"}, net.UnknownNetworkError("x"), net.InvalidAddrError("odd"), &net.ParseError{Type: "thing", Text: "t"},
			&net.OpError{Op: "set", Net: "tcp", Err: syscall.EINVAL},
		} {
			control := func(string, string, syscall.RawConn) error { return refusal }
			_, err := (&net.Dialer{Control: control}).Dial("tcp", "127.0.0.1:9")
			say("dial: " + whole(err, nil))
			_, err = (&net.ListenConfig{Control: control}).Listen(context.Background(), "tcp4", "127.0.0.1:9")
			say("listen: " + whole(err, nil))
			_, err = (&net.ListenConfig{Control: control}).ListenPacket(context.Background(), "udp4", "127.0.0.1:9")
			say("listenPacket: " + whole(err, nil))
		}
	})
	scene("whole: what control is told", func(say func(string)) {
		told := func(on string) func(string, string, syscall.RawConn) error {
			return func(network, address string, _ syscall.RawConn) error {
				say(on + " " + network + " " + address)
				return errors.New("no")
			}
		}
		for _, network := range []string{"tcp", "tcp4", "tcp6", "udp", "udp4", "udp6"} {
			for _, a := range []string{"127.0.0.1:9", "[::1]:9", ":9", "0.0.0.0:9", "[::]:9"} {
				(&net.Dialer{Control: told("dial " + network + " " + a + ":")}).Dial(network, a)
				if strings.HasPrefix(network, "tcp") {
					(&net.ListenConfig{Control: told("listen " + network + " " + a + ":")}).Listen(context.Background(), network, a)
				} else {
					(&net.ListenConfig{Control: told("listen " + network + " " + a + ":")}).ListenPacket(context.Background(), network, a)
				}
			}
		}
	})
	scene("whole: dials that are over before", func(say func(string)) {
		for _, r := range []string{"127.0.0.1:9", "nohost.invalid:9", "127.0.0.1", ":x", ""} {
			for _, network := range []string{"tcp", "udp", "foo"} {
				_, err := (&net.Dialer{Timeout: -1, Resolver: &net.Resolver{PreferGo: true}}).Dial(network, r)
				say("timeout " + network + " " + r + ": " + whole(err, nil))
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				_, err = (&net.Dialer{Resolver: &net.Resolver{PreferGo: true}}).DialContext(ctx, network, r)
				say("cancelled " + network + " " + r + ": " + whole(err, nil))
			}
		}
	})
}

// What is set on a socket: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_NODELAY.
func keptAlive(c net.Conn) string {
	var values [5]int
	raw := must(c.(*net.TCPConn).SyscallConn())
	raw.Control(func(fd uintptr) {
		values[0], _ = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
		values[1], _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
		values[2], _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL)
		values[3], _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT)
		values[4], _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
	})
	return fmt.Sprintf("%d/%d/%d/%d %d", values[0], values[1], values[2], values[3], values[4])
}

func ends() {
	with := func(name string, steps func(p *pair, say func(string))) {
		scene("whole: "+name, func(say func(string)) {
			p := connected()
			steps(p, say)
			p.done()
		})
	}
	readW := func(p *pair, size int) string {
		n, err := p.dialled.Read(make([]byte, size))
		return fmt.Sprintf("read %d %s", n, whole(err, p.names))
	}
	writeW := func(p *pair, size int) string {
		n, err := p.dialled.Write(make([]byte, size))
		return fmt.Sprintf("write %d %s", n, whole(err, p.names))
	}
	everything := func(p *pair, say func(string)) {
		c, n := p.dialled, p.names
		say(readW(p, 9))
		say(readW(p, 9))
		say(readW(p, 0))
		say(writeW(p, 1))
		settle()
		say(writeW(p, 1))
		say(writeW(p, 0))
		say("noDelay " + whole(c.SetNoDelay(true), n))
		say("keepAlive " + whole(c.SetKeepAlive(true), n))
		say("keepAlivePeriod " + whole(c.SetKeepAlivePeriod(time.Second), n))
		say("linger " + whole(c.SetLinger(1), n))
		say("linger " + whole(c.SetLinger(-1), n))
		say("readBuffer " + whole(c.SetReadBuffer(4096), n))
		say("writeBuffer " + whole(c.SetWriteBuffer(4096), n))
		say("deadline " + whole(c.SetDeadline(time.Time{}), n))
		_, err := c.ReadFrom(struct{ io.Reader }{strings.NewReader("x")})
		say("readFrom " + whole(err, n))
		_, err = io.Copy(&bytes.Buffer{}, struct{ io.Reader }{c})
		say("copy " + whole(err, n))
		_, err = (&net.Buffers{[]byte("x"), []byte("y")}).WriteTo(c)
		say("buffers " + whole(err, n))
		say("closeRead " + whole(c.CloseRead(), n))
		say("closeWrite " + whole(c.CloseWrite(), n))
		say("close " + whole(c.Close(), n))
		say("close " + whole(c.Close(), n))
		say("readBuffer " + whole(c.SetReadBuffer(4096), n))
		say("deadline " + whole(c.SetDeadline(time.Time{}), n))
		say("local " + strings.NewReplacer(n...).Replace(c.LocalAddr().String()+" "+c.RemoteAddr().String()))
	}
	with("everything after the peer's close", func(p *pair, say func(string)) {
		p.accepted.Close()
		settle()
		everything(p, say)
	})
	with("everything after the peer's reset", func(p *pair, say func(string)) {
		p.accepted.SetLinger(0)
		p.accepted.Close()
		settle()
		everything(p, say)
	})
	with("everything after the peer's closeWrite", func(p *pair, say func(string)) {
		p.accepted.CloseWrite()
		settle()
		everything(p, say)
	})
	with("everything after the peer's closeRead", func(p *pair, say func(string)) {
		p.accepted.CloseRead()
		p.accepted.Write([]byte("xyz"))
		p.accepted.CloseWrite()
		settle()
		everything(p, say)
	})
	with("everything after closeWrite", func(p *pair, say func(string)) {
		p.dialled.CloseWrite()
		p.accepted.Write([]byte("xyz"))
		p.accepted.Close()
		settle()
		everything(p, say)
	})
	with("everything after closeRead", func(p *pair, say func(string)) {
		p.dialled.CloseRead()
		everything(p, say)
	})
	with("everything after close", func(p *pair, say func(string)) {
		p.dialled.Close()
		everything(p, say)
	})
	with("everything after a deadline", func(p *pair, say func(string)) {
		p.dialled.SetDeadline(past)
		say(readW(p, 1))
		say(writeW(p, 1))
		_, err := p.dialled.ReadFrom(struct{ io.Reader }{strings.NewReader("x")})
		say("readFrom " + whole(err, p.names))
		_, err = (&net.Buffers{[]byte("x"), []byte("y")}).WriteTo(p.dialled)
		say("buffers " + whole(err, p.names))
		say("closeWrite " + whole(p.dialled.CloseWrite(), p.names))
		say(writeW(p, 1))
		p.dialled.SetWriteDeadline(time.Time{})
		say(writeW(p, 1))
		say("close " + whole(p.dialled.Close(), p.names))
		say(readW(p, 1))
	})
	with("closeRead, closeWrite, and both again", func(p *pair, say func(string)) {
		for i := 0; i < 2; i++ {
			say("closeRead " + whole(p.dialled.CloseRead(), p.names))
			say("closeWrite " + whole(p.dialled.CloseWrite(), p.names))
		}
		settle()
		say(readW(p, 1))
		say(writeW(p, 1))
		n, err := p.accepted.Read(make([]byte, 1))
		say(fmt.Sprintf("peer reads %d %s", n, whole(err, nil)))
		say("peer closes " + whole(p.accepted.Close(), nil))
		settle()
		say("closeRead " + whole(p.dialled.CloseRead(), p.names))
		say("closeWrite " + whole(p.dialled.CloseWrite(), p.names))
		say(readW(p, 1))
		say("close " + whole(p.dialled.Close(), p.names))
	})
	with("reset with data not read", func(p *pair, say func(string)) {
		p.accepted.Write([]byte("xyz"))
		settle()
		p.accepted.SetLinger(0)
		p.accepted.Close()
		settle()
		say(writeW(p, 1))
		say(readW(p, 2))
		say(readW(p, 2))
		say(readW(p, 2))
		say(writeW(p, 1))
		say("closeRead " + whole(p.dialled.CloseRead(), p.names))
		say("close " + whole(p.dialled.Close(), p.names))
	})
	with("closed with data not read", func(p *pair, say func(string)) {
		p.accepted.Write([]byte("xyz"))
		settle()
		say("close " + whole(p.dialled.Close(), p.names))
		settle()
		n, err := p.accepted.Read(make([]byte, 1))
		say(fmt.Sprintf("peer reads %d %s", n, whole(err, names{p.accepted.LocalAddr().String(), "R", p.accepted.RemoteAddr().String(), "L"})))
		n, err = p.accepted.Read(make([]byte, 1))
		say(fmt.Sprintf("peer reads %d %s", n, whole(err, nil)))
	})
	with("linger", func(p *pair, say func(string)) {
		for _, seconds := range []int{-1, -99, 0, 1, 65535, 1 << 30} {
			say(fmt.Sprint(seconds, " ", whole(p.dialled.SetLinger(seconds), p.names)))
		}
	})
	with("buffers' sizes", func(p *pair, say func(string)) {
		for _, size := range []int{-1, 0, 1, 4096, 1 << 30, 1<<31 - 1} {
			say(fmt.Sprint(size, " ", whole(p.dialled.SetReadBuffer(size), p.names), " ", whole(p.dialled.SetWriteBuffer(size), p.names)))
		}
	})
	with("a copy out of a connection that is reset", func(p *pair, say func(string)) {
		say(waiting(func() string {
			n, err := io.Copy(&bytes.Buffer{}, struct{ io.Reader }{p.dialled})
			return fmt.Sprint(n, " ", whole(err, p.names))
		}, func() {
			p.accepted.Write([]byte("xyz"))
			settle()
			p.accepted.SetLinger(0)
			p.accepted.Close()
		}))
	})
	scene("whole: accept", func(say func(string)) {
		l := must(net.ListenTCP("tcp", addr("127.0.0.1:0")))
		n := names{l.Addr().String(), "A"}
		l.SetDeadline(past)
		_, err := l.Accept()
		say(whole(err, n))
		_, err = l.AcceptTCP()
		say(whole(err, n))
		l.SetDeadline(time.Time{})
		say(waiting(func() string { _, err := l.Accept(); return whole(err, n) }, func() { say(whole(l.Close(), n)) }))
		_, err = l.Accept()
		say(whole(err, n))
		say(whole(l.Close(), n))
		say(whole(l.SetDeadline(past), n))
		say(strings.NewReplacer(n...).Replace(l.Addr().String()))
	})
	scene("whole: pipe", func(say func(string)) {
		one, other := net.Pipe()
		one.SetDeadline(past)
		_, err := one.Read(make([]byte, 1))
		say(whole(err, nil))
		_, err = one.Write(make([]byte, 1))
		say(whole(err, nil))
		one.Close()
		for _, end := range []net.Conn{one, other} {
			_, err = end.Read(make([]byte, 1))
			say(whole(err, nil))
			_, err = end.Write(make([]byte, 1))
			say(whole(err, nil))
			say(whole(end.SetDeadline(past), nil))
			say(whole(end.SetReadDeadline(past), nil))
			say(whole(end.SetWriteDeadline(past), nil))
		}
		say(whole(other.Close(), nil))
	})
	scene("whole: datagrams", func(say func(string)) {
		s := must(net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))
		c := must(net.DialUDP("udp", nil, s.LocalAddr().(*net.UDPAddr)))
		n := names{c.LocalAddr().String(), "L", s.LocalAddr().String(), "R"}
		b := make([]byte, 70000)
		_, err := c.WriteTo(b[:1], s.LocalAddr())
		say(whole(err, n))
		_, err = s.Write(b[:1])
		say(whole(err, n))
		_, err = s.WriteTo(b, c.LocalAddr())
		say(whole(err, n))
		_, err = c.Write(b)
		say(whole(err, n))
		_, err = s.WriteTo(b[:1], &net.UDPAddr{IP: net.ParseIP("::1"), Port: 9})
		say(whole(err, n))
		_, err = s.WriteTo(b[:1], &net.UDPAddr{IP: net.ParseIP("127.0.0.1"), Port: 0})
		say(whole(err, n))
		_, err = s.WriteTo(b[:1], &net.UDPAddr{IP: net.ParseIP("100.64.0.1"), Port: 9})
		say(whole(err, n))
		_, err = s.WriteTo(b[:1], &net.UDPAddr{IP: net.ParseIP("255.255.255.255"), Port: 9})
		say(whole(err, n))
		s.SetDeadline(past)
		_, _, err = s.ReadFrom(b)
		say(whole(err, n))
		_, err = s.WriteTo(b[:1], c.LocalAddr())
		say(whole(err, n))
		s.Close()
		_, _, err = s.ReadFrom(b)
		say(whole(err, n))
		_, err = s.WriteTo(b[:1], c.LocalAddr())
		say(whole(err, n))
		say(whole(s.Close(), n))
		say(whole(s.SetDeadline(past), n))
		say(whole(s.SetReadBuffer(1), n))
		_, err = c.Write(b[:1])
		say(whole(err, n))
		settle()
		_, err = c.Read(b)
		say(whole(err, n))
		_, err = c.Write(b[:1])
		say(whole(err, n))
		settle()
		_, err = c.Write(b[:1])
		say(whole(err, n))
		say(whole(c.Close(), n))
		_, err = c.Write(b[:1])
		say(whole(err, n))
		_, err = c.Read(b)
		say(whole(err, n))
		say(whole(c.Close(), n))
	})
}

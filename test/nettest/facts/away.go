//go:build go1.23

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

func init() { sinceAway, servePeer = away, peer }

const userTimeout = 18

// Takes connections on 10.9.0.2:7 and [fd00:9::2]:7, and does nothing with them.
func peer() {
	l := must(net.Listen("tcp", ":7"))
	var held []net.Conn
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		held = append(held, c)
	}
}

func router(args ...string) {
	if out, err := exec.Command("ip", append([]string{"-n", "router"}, args...)...).CombinedOutput(); err != nil {
		panic(string(out))
	}
}

// Scenes beyond the loopback, in the network of away.sh.
func away() {
	scene("away: dials", func(say func(string)) {
		for _, r := range []string{
			"10.9.0.2:9", "[fd00:9::2]:9", "198.18.0.1:9", "198.18.1.1:9", "198.18.2.1:9", "[fd00::1]:9", "[fd00:1::1]:9", "[fd00:2::1]:9",
			"198.51.100.1:9", "203.0.113.1:9", "192.0.2.1:9", "100.64.0.1:9", "[fd00:3::1]:9", "[fd00:4::1]:9", "[fd00:5::1]:9", "[2001:db8::1]:9", "10.9.0.255:9", "10.9.0.1:9", "[fd00:9::1]:9",
			"10.9.0.9:9", "[fd00:9::9]:9",
		} {
			_, err := net.Dial("tcp", r)
			say(r + ": " + whole(err, nil))
		}
	})
	scene("away: dials that nobody answers", func(say func(string)) {
		const r = "10.9.0.9:9"
		for _, d := range []net.Dialer{
			{Timeout: 30 * time.Millisecond}, {Deadline: time.Now().Add(time.Minute), Timeout: 30 * time.Millisecond}, {KeepAlive: -1, Timeout: 30 * time.Millisecond},
			{LocalAddr: addr("10.9.0.1:0"), Timeout: 30 * time.Millisecond}, {LocalAddr: addr("127.0.0.1:0"), Timeout: 30 * time.Millisecond}, {LocalAddr: addr(":4321"), Timeout: 30 * time.Millisecond},
		} {
			_, err := d.Dial("tcp", r)
			// In Go the context and the deadline of the socket race; the context is the one that is meant.
			for errors.Is(err, os.ErrDeadlineExceeded) {
				_, err = d.Dial("tcp", r)
			}
			say(whole(err, nil))
		}
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(30*time.Millisecond, cancel)
		_, err := (&net.Dialer{Timeout: time.Minute}).DialContext(ctx, "tcp", r)
		say(whole(err, nil))
		cause, why := context.WithCancelCause(context.Background())
		time.AfterFunc(30*time.Millisecond, func() { why(fmt.Errorf("a reason")) })
		_, err = (&net.Dialer{}).DialContext(cause, "tcp", r)
		say(whole(err, nil))
	})
	scene("away: names", func(say func(string)) {
		for _, name := range []string{"a.test", "b.test", "c.test", "d.test", "e.test", "f.test", "g.test", "h.test"} {
			for _, network := range []string{"tcp", "tcp4", "tcp6", "udp"} {
				for _, port := range []string{"7", "9"} {
					c, err := (&net.Dialer{Timeout: time.Second}).Dial(network, name+":"+port)
					for errors.Is(err, os.ErrDeadlineExceeded) {
						c, err = (&net.Dialer{Timeout: time.Second}).Dial(network, name+":"+port)
					}
					if err == nil {
						say(network + " " + name + ":" + port + ": " + c.RemoteAddr().String())
						c.Close()
						continue
					}
					say(network + " " + name + ":" + port + ": " + whole(err, nil))
				}
			}
		}
	})
	scene("away: datagrams", func(say func(string)) {
		for _, r := range []string{
			"10.9.0.2:9", "[fd00:9::2]:9", "198.18.0.1:9", "198.18.1.1:9", "198.18.2.1:9", "[fd00::1]:9", "[fd00:1::1]:9", "[fd00:2::1]:9",
			"198.51.100.1:9", "203.0.113.1:9", "192.0.2.1:9", "100.64.0.1:9", "[fd00:3::1]:9", "[fd00:4::1]:9", "[fd00:5::1]:9", "[2001:db8::1]:9", "10.9.0.255:9", "255.255.255.255:9", "224.0.0.99:9",
		} {
			// Linux sends a host one such error a second (ip_rt_error_cost), and five at once.
			if strings.HasPrefix(r, "198.18.") {
				time.Sleep(5 * time.Second)
			}
			c, err := net.Dial("udp", r)
			say(r + ": " + whole(err, nil))
			if err == nil {
				n := names{c.LocalAddr().String(), "L"}
				_, err = c.Write([]byte("x"))
				say(r + ": " + whole(err, n))
				c.SetReadDeadline(soon())
				_, err = c.Read(make([]byte, 1))
				say(r + ": " + whole(err, n))
				_, err = c.Write([]byte("x"))
				say(r + ": " + whole(err, n))
				c.Close()
			}
			s := must(net.ListenUDP("udp", nil))
			_, err = s.WriteTo([]byte("x"), must(net.ResolveUDPAddr("udp", r)))
			say(r + ": " + whole(err, names{s.LocalAddr().String(), "L"}))
			s.SetReadDeadline(soon())
			_, _, err = s.ReadFrom(make([]byte, 1))
			say(r + ": " + whole(err, names{s.LocalAddr().String(), "L"}))
			s.Close()
		}
	})
	for _, kind := range []string{"keepalive", "user timeout", "soft error"} {
		scene("away: a peer that goes away, and "+kind, func(say func(string)) {
			c := must(net.Dial("tcp", "198.18.9.1:7")).(*net.TCPConn)
			n := names{c.LocalAddr().String(), "L", c.RemoteAddr().String(), "R"}
			raw := must(c.SyscallConn())
			if kind != "keepalive" {
				raw.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, 700) })
				c.SetKeepAlive(false)
			} else {
				c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 1})
			}
			if kind == "soft error" {
				// The router tells that the host is not there any more.
				router("address", "del", "198.18.9.1/32", "dev", "lo")
				router("route", "add", "unreachable", "198.18.9.1")
			} else {
				router("link", "set", "v1", "down")
				defer router("neighbour", "add", "10.9.0.1", "dev", "v1", "lladdr", "02:00:00:00:00:01")
				defer router("link", "set", "v1", "up")
			}
			if kind != "keepalive" {
				say(write(c, 10, n))
			}
			_, err := c.Read(make([]byte, 1))
			say(whole(err, n))
			_, err = c.Read(make([]byte, 1))
			say(whole(err, n))
			_, err = c.Write(make([]byte, 1))
			say(whole(err, n))
			say("closeRead " + whole(c.CloseRead(), n))
			say("close " + whole(c.Close(), n))
		})
	}
}

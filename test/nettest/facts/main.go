// What Go's net says and does, as facts for ours to be compared with. As root, `go build -o /tmp/facts ./test/nettest/facts` and
// `unshare -nm test/nettest/facts/away.sh /tmp/facts` write what the JSON file beside it has (and `npm run format` lays out), which is named
// after the version of Go. test/net/go-*scenes.ts play the same scenes on a host. Ends are called by what they are: L and R are
// those of the connection, A is the listener's address.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

var facts = map[string][]string{}
var order []string

func scene(name string, steps func(say func(string))) {
	order = append(order, name)
	facts[name] = []string{}
	steps(func(text string) { facts[name] = append(facts[name], text) })
}

// Pairs of what is found and what it is called.
type names []string

func said(err error, names names) string {
	if err == nil {
		return "ok"
	}
	if err == io.EOF {
		return "EOF"
	}
	text := strings.NewReplacer(names...).Replace(err.Error())
	if e, ok := err.(net.Error); ok {
		if e.Timeout() {
			text += " (timeout)"
		}
		if e.Temporary() {
			text += " (temporary)"
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		text += " (deadline)"
	}
	if errors.Is(err, net.ErrClosed) {
		text += " (closed)"
	}
	return text
}

func counted(n int, err error, names names) string { return fmt.Sprintf("%d %s", n, said(err, names)) }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

type pair struct {
	listener          *net.TCPListener
	dialled, accepted *net.TCPConn
	names             names
}

// A connection over the loopback; what is said of its ends is said from the dialling side.
func connected() *pair {
	l := must(net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}))
	c := must(net.Dial("tcp", l.Addr().String())).(*net.TCPConn)
	a := must(l.AcceptTCP())
	return &pair{l, c, a, names{c.LocalAddr().String(), "L", c.RemoteAddr().String(), "R"}}
}

func (p *pair) done() {
	p.listener.Close()
	p.dialled.Close()
	p.accepted.Close()
}

func settle() { time.Sleep(30 * time.Millisecond) }

var past = time.Unix(1, 0)

func soon() time.Time { return time.Now().Add(30 * time.Millisecond) }

func read(c net.Conn, size int, names names) string {
	n, err := c.Read(make([]byte, size))
	return counted(n, err, names)
}

func write(c net.Conn, size int, names names) string {
	n, err := c.Write(make([]byte, size))
	return counted(n, err, names)
}

// What a call says that waits while something else is done.
func waiting(call func() string, meanwhile func()) string {
	result := make(chan string)
	go func() { result <- call() }()
	settle()
	meanwhile()
	return <-result
}

// Writes until it fails; how much went is not the same for everybody.
func fill(c net.Conn, names names) string {
	for {
		if _, err := c.Write(make([]byte, 1<<20)); err != nil {
			return said(err, names)
		}
	}
}

func dials() {
	for _, d := range [][2]string{
		{"foo", "127.0.0.1:80"}, {"", "127.0.0.1:80"}, {"TCP", "127.0.0.1:80"}, {"tcp5", "127.0.0.1:80"},
		{"tcp", ""}, {"tcp4", ""}, {"tcp", "127.0.0.1"}, {"tcp", "::1"}, {"tcp", "[::1]"}, {"tcp", "[::1]80"}, {"tcp", "[::1"},
		{"tcp", "::1]:80"}, {"tcp", "127.0.0.1:80:90"}, {"tcp", ":65536"}, {"tcp", "127.0.0.1:-1"}, {"tcp", "127.0.0.1:99999999999"},
		{"tcp", ":☺"}, {"tcp", "127.0.0.1:0x50"}, {"tcp4", "[::1]:80"}, {"tcp6", "127.0.0.1:80"}, {"tcp6", "[::ffff:127.0.0.1]:80"},
		{"udp", ""}, {"udp", "127.0.0.1"}, {"udp4", "[::1]:53"}, {"udp", "127.0.0.1:nosuchsvc"},
	} {
		scene(fmt.Sprintf("dial %q %q", d[0], d[1]), func(say func(string)) {
			_, err := net.Dial(d[0], d[1])
			say(said(err, nil))
		})
	}
	free := func() (string, names) {
		l := must(net.Listen("tcp4", "127.0.0.1:0"))
		l.Close()
		return l.Addr().String(), names{l.Addr().String(), "R"}
	}
	scene("dial refused", func(say func(string)) {
		r, n := free()
		_, err := net.Dial("tcp", r)
		say(said(err, n))
	})
	scene("dial with a timeout that is over", func(say func(string)) {
		r, n := free()
		_, err := (&net.Dialer{Timeout: -1}).Dial("tcp", r)
		say(said(err, n))
		_, err = (&net.Dialer{Deadline: past}).Dial("tcp", r)
		say(said(err, n))
	})
	scene("dial with a context that is cancelled", func(say func(string)) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r, n := free()
		_, err := (&net.Dialer{}).DialContext(ctx, "tcp", r)
		say(said(err, n))
	})
	scene("dial with a control that refuses", func(say func(string)) {
		r, n := free()
		d := net.Dialer{Control: func(network, address string, _ syscall.RawConn) error {
			return fmt.Errorf("%s to %s", network, strings.NewReplacer(n...).Replace(address))
		}}
		_, err := d.Dial("tcp", r)
		say(said(err, n))
	})
	for _, d := range []struct {
		local           net.Addr
		network, remote string
	}{
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 77)}, "tcp", "127.0.0.1:9"},
		{&net.TCPAddr{IP: net.ParseIP("::1")}, "tcp", "127.0.0.1:9"},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, "tcp", "[::1]:9"},
		{&net.TCPAddr{IP: net.ParseIP("::")}, "tcp4", "127.0.0.1:9"},
		{&net.TCPAddr{IP: net.ParseIP("::")}, "tcp", "127.0.0.1:9"},
		{&net.TCPAddr{IP: net.ParseIP("::")}, "tcp", "[::1]:9"},
		{&net.TCPAddr{IP: net.IPv4zero}, "tcp", "[::1]:9"},
		{&net.TCPAddr{}, "tcp", "[::1]:9"},
		{&net.UDPAddr{}, "tcp", "127.0.0.1:9"},
		{&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, "tcp", "127.0.0.1:9"},
	} {
		scene(fmt.Sprintf("dial %s from %s %s %s", d.network, d.local.Network(), d.local, d.remote), func(say func(string)) {
			_, err := (&net.Dialer{LocalAddr: d.local}).Dial(d.network, d.remote)
			say(said(err, nil))
		})
	}
	scene("dial from an address in use", func(say func(string)) {
		l := must(net.Listen("tcp4", "127.0.0.1:0"))
		_, err := (&net.Dialer{LocalAddr: l.Addr()}).Dial("tcp", "127.0.0.1:9")
		say(said(err, names{l.Addr().String(), "A"}))
		l.Close()
	})
	scene("dial this host", func(say func(string)) {
		for _, at := range [][2]string{{"tcp", ""}, {"tcp", "0.0.0.0"}, {"tcp", "[::]"}, {"tcp4", "[::]"}, {"tcp6", "[::]"}, {"tcp", "[::ffff:0.0.0.0]"}} {
			l := must(net.Listen("tcp", ":0"))
			port := l.Addr().(*net.TCPAddr).Port
			c := must(net.Dial(at[0], fmt.Sprintf("%s:%d", at[1], port)))
			say(fmt.Sprintf("%s %s: %s", at[0], at[1], c.RemoteAddr().(*net.TCPAddr).IP))
			l.Close()
		}
	})
	v4, v6, none := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, &net.TCPAddr{IP: net.ParseIP("::1"), Port: 9}, (*net.TCPAddr)(nil)
	for _, d := range []struct {
		network       string
		local, remote *net.TCPAddr
	}{
		{"udp", none, v4}, {"udp", v4, v4}, {"tcp", none, none}, {"tcp", v4, none}, {"tcp4", none, v6}, {"tcp6", none, v4}, {"tcp6", v4, v6}, {"tcp4", v6, v4},
		{"tcp", none, v4}, {"tcp", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 77)}, v4}, {"tcp", none, &net.TCPAddr{}},
	} {
		scene(fmt.Sprintf("dialTCP %s %s %s", d.network, d.local, d.remote), func(say func(string)) {
			_, err := net.DialTCP(d.network, d.local, d.remote)
			say(said(err, nil))
		})
	}
}

func listens() {
	for _, d := range [][2]string{
		{"foo", "127.0.0.1:0"}, {"tcp", "127.0.0.1"}, {"tcp", "::1"}, {"tcp", ":65536"}, {"tcp", ":-1"}, {"tcp", ":nosuchsvc"}, {"tcp4", "[::1]:0"},
		{"tcp6", "127.0.0.1:0"}, {"tcp", "192.0.2.77:0"}, {"tcp", "[2001:db8::77]:0"}, {"udp", "127.0.0.1:0"}, {"udp", "127.0.0.1"},
	} {
		scene(fmt.Sprintf("listen %q %q", d[0], d[1]), func(say func(string)) {
			_, err := net.Listen(d[0], d[1])
			say(said(err, nil))
		})
		scene(fmt.Sprintf("listenPacket %q %q", d[0], d[1]), func(say func(string)) {
			c, err := net.ListenPacket(d[0], d[1])
			if err == nil {
				c.Close()
			}
			say(said(err, nil))
		})
	}
	scene("where a listener is", func(say func(string)) {
		for _, at := range [][2]string{
			{"tcp", ""}, {"tcp", ":"}, {"tcp", ":0"}, {"tcp", "0.0.0.0:0"}, {"tcp", "[::]:0"}, {"tcp", "[::ffff:0.0.0.0]:0"}, {"tcp", "127.0.0.1:0"}, {"tcp", "[::1]:0"},
			{"tcp", "[::ffff:127.0.0.1]:0"}, {"tcp4", ""}, {"tcp4", "0.0.0.0:0"}, {"tcp4", "[::]:0"}, {"tcp6", ""}, {"tcp6", "[::]:0"},
		} {
			l := must(net.Listen(at[0], at[1]))
			a := l.Addr().(*net.TCPAddr)
			say(fmt.Sprintf("%s %q: %s %s", at[0], at[1], a.Network(), a.IP))
			l.Close()
		}
	})
	forms := [][2]string{
		{"tcp", ""}, {"tcp", "0.0.0.0"}, {"tcp", "[::ffff:0.0.0.0]"}, {"tcp", "[::]"}, {"tcp4", ""}, {"tcp4", "0.0.0.0"}, {"tcp6", ""}, {"tcp6", "[::]"},
		{"tcp", "127.0.0.1"}, {"tcp4", "127.0.0.1"}, {"tcp", "[::ffff:127.0.0.1]"}, {"tcp", "[::1]"}, {"tcp6", "[::1]"},
	}
	scene("a second listen on a port", func(say func(string)) {
		for _, first := range forms {
			for _, second := range forms {
				one := must(net.Listen(first[0], first[1]+":0"))
				port := one.Addr().(*net.TCPAddr).Port
				two, err := net.Listen(second[0], fmt.Sprintf("%s:%d", second[1], port))
				say(fmt.Sprintf("%s %s, %s %s: %s", first[0], first[1], second[0], second[1], said(err, names{fmt.Sprint(":", port), ":PORT"})))
				one.Close()
				if err == nil {
					two.Close()
				}
			}
		}
	})
	scene("who comes to a listener of both families", func(say func(string)) {
		for _, at := range []string{"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"} {
			l := must(net.Listen("tcp", ":0"))
			c := must(net.Dial("tcp", fmt.Sprintf("%s:%d", at, l.Addr().(*net.TCPAddr).Port)))
			a := must(l.Accept())
			say(fmt.Sprintf("%s: %s %s", at, a.RemoteAddr().(*net.TCPAddr).IP, a.LocalAddr().(*net.TCPAddr).IP))
			a.Close()
			c.Close()
			l.Close()
		}
	})
	scene("listenTCP", func(say func(string)) {
		_, err := net.ListenTCP("udp", nil)
		say(said(err, nil))
		_, err = net.ListenTCP("udp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		say(said(err, nil))
		_, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 77)})
		say(said(err, nil))
		_, err = net.ListenTCP("tcp4", &net.TCPAddr{IP: net.ParseIP("::1")})
		say(said(err, nil))
		_, err = net.ListenUDP("tcp", nil)
		say(said(err, nil))
	})
}

func accepts() {
	open := func() (*net.TCPListener, names) {
		l := must(net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}))
		return l, names{l.Addr().String(), "A"}
	}
	accept := func(l *net.TCPListener, n names) string {
		_, err := l.Accept()
		return said(err, n)
	}
	scene("accept with a deadline", func(say func(string)) {
		l, n := open()
		say(said(l.SetDeadline(past), n))
		say(accept(l, n))
		must(net.Dial("tcp", l.Addr().String()))
		settle()
		say(accept(l, n))
		say(said(l.SetDeadline(time.Time{}), n))
		say(accept(l, n))
		say(said(l.SetDeadline(soon()), n))
		say(accept(l, n))
		say(accept(l, n))
		l.Close()
	})
	scene("accept while the listener is closed, and after", func(say func(string)) {
		l, n := open()
		say(waiting(func() string { return accept(l, n) }, func() { say(said(l.Close(), n)) }))
		say(accept(l, n))
		say(said(l.Close(), n))
		say(said(l.SetDeadline(past), n))
	})
	scene("a deadline set while accept waits", func(say func(string)) {
		l, n := open()
		say(waiting(func() string { return accept(l, n) }, func() { l.SetDeadline(past) }))
		l.Close()
	})
	scene("a listener closed with a connection in its queue", func(say func(string)) {
		l, n := open()
		c := must(net.Dial("tcp", l.Addr().String()))
		n = append(n, c.LocalAddr().String(), "L")
		settle()
		say(said(l.Close(), n))
		say(accept(l, n))
		settle()
		say(read(c, 1, n))
		say(read(c, 1, n))
		say(write(c, 1, n))
		say(said(c.Close(), n))
	})
	scene("a connection reset before it is accepted", func(say func(string)) {
		l, n := open()
		c := must(net.Dial("tcp", l.Addr().String())).(*net.TCPConn)
		c.SetLinger(0)
		c.Close()
		settle()
		a, err := l.Accept()
		say(said(err, n))
		n = append(n, a.RemoteAddr().String(), "L")
		say(read(a, 1, n))
		l.Close()
	})
}

func conns() {
	with := func(name string, steps func(p *pair, say func(string))) {
		scene(name, func(say func(string)) {
			p := connected()
			steps(p, say)
			p.done()
		})
	}
	with("read with a deadline that is over", func(p *pair, say func(string)) {
		p.accepted.Write([]byte("xyz"))
		settle()
		say(said(p.dialled.SetReadDeadline(past), p.names))
		say(read(p.dialled, 9, p.names))
		say(read(p.dialled, 0, p.names))
		say(write(p.dialled, 1, p.names))
		say(said(p.dialled.SetReadDeadline(time.Time{}), p.names))
		say(read(p.dialled, 9, p.names))
		say(said(p.dialled.SetReadDeadline(time.Now()), p.names))
		say(read(p.dialled, 9, p.names))
		say(said(p.dialled.SetReadDeadline(soon()), p.names))
		say(read(p.dialled, 9, p.names))
	})
	with("write with a deadline that is over", func(p *pair, say func(string)) {
		say(said(p.dialled.SetWriteDeadline(past), p.names))
		say(write(p.dialled, 3, p.names))
		say(write(p.dialled, 0, p.names))
		p.accepted.Write([]byte("x"))
		say(read(p.dialled, 9, p.names))
		say(said(p.dialled.SetDeadline(time.Time{}), p.names))
		say(write(p.dialled, 3, p.names))
		say(write(p.dialled, 0, p.names))
	})
	with("a read and a write that wait, and a deadline is set", func(p *pair, say func(string)) {
		say(waiting(func() string { return read(p.dialled, 9, p.names) }, func() { p.dialled.SetReadDeadline(past) }))
		say(waiting(func() string { return fill(p.dialled, p.names) }, func() { p.dialled.SetWriteDeadline(past) }))
	})
	with("a read that waits, and its deadline is moved", func(p *pair, say func(string)) {
		p.dialled.SetReadDeadline(soon())
		say(waiting(func() string { return read(p.dialled, 9, p.names) }, func() {}))
		p.dialled.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		say(waiting(func() string { return read(p.dialled, 9, p.names) }, func() {
			p.dialled.SetReadDeadline(time.Time{})
			time.Sleep(60 * time.Millisecond)
			p.accepted.Write([]byte("x"))
		}))
	})
	with("calls on a closed connection", func(p *pair, say func(string)) {
		say(said(p.dialled.Close(), p.names))
		say(read(p.dialled, 9, p.names))
		say(read(p.dialled, 0, p.names))
		say(write(p.dialled, 9, p.names))
		say(write(p.dialled, 0, p.names))
		say(said(p.dialled.Close(), p.names))
		say(said(p.dialled.CloseRead(), p.names))
		say(said(p.dialled.CloseWrite(), p.names))
		say(said(p.dialled.SetDeadline(past), p.names))
		say(said(p.dialled.SetReadDeadline(past), p.names))
		say(said(p.dialled.SetWriteDeadline(past), p.names))
		say(said(p.dialled.SetReadBuffer(1), p.names))
		say(said(p.dialled.SetWriteBuffer(1), p.names))
		say(said(p.dialled.SetNoDelay(true), p.names))
		say(said(p.dialled.SetLinger(1), p.names))
		say(said(p.dialled.SetKeepAlive(true), p.names))
		say(said(p.dialled.SetKeepAlivePeriod(time.Second), p.names))
		n, err := (&net.Buffers{[]byte("x")}).WriteTo(p.dialled)
		say(counted(int(n), err, p.names))
	})
	with("a read and a write that wait, and the connection is closed", func(p *pair, say func(string)) {
		say(waiting(func() string { return read(p.dialled, 9, p.names) }, func() {
			say(waiting(func() string { return fill(p.dialled, p.names) }, func() { p.dialled.Close() }))
		}))
	})
	with("the peer closes", func(p *pair, say func(string)) {
		p.accepted.Write([]byte("xyz"))
		p.accepted.Close()
		settle()
		say(read(p.dialled, 2, p.names))
		say(read(p.dialled, 2, p.names))
		say(read(p.dialled, 2, p.names))
		say(read(p.dialled, 2, p.names))
		say(write(p.dialled, 1, p.names))
		settle()
		say(write(p.dialled, 1, p.names))
		say(read(p.dialled, 2, p.names))
		say(said(p.dialled.CloseWrite(), p.names))
		say(said(p.dialled.Close(), p.names))
	})
	with("the peer closes and had not read all", func(p *pair, say func(string)) {
		p.accepted.Write([]byte("xyz"))
		p.dialled.Write([]byte("abc"))
		settle()
		p.accepted.Close()
		settle()
		for i := 0; i < 4; i++ {
			say(read(p.dialled, 2, p.names))
		}
		say(write(p.dialled, 1, p.names))
		say(write(p.dialled, 0, p.names))
		say(said(p.dialled.CloseRead(), p.names))
		say(said(p.dialled.CloseWrite(), p.names))
		say(said(p.dialled.SetNoDelay(true), p.names))
		say(said(p.dialled.Close(), p.names))
	})
	with("the peer resets", func(p *pair, say func(string)) {
		p.accepted.Write([]byte("xyz"))
		settle()
		p.accepted.SetLinger(0)
		p.accepted.Close()
		settle()
		for i := 0; i < 4; i++ {
			say(read(p.dialled, 2, p.names))
		}
		say(write(p.dialled, 1, p.names))
	})
	with("the peer resets, and a write finds out", func(p *pair, say func(string)) {
		p.accepted.SetLinger(0)
		p.accepted.Close()
		settle()
		say(write(p.dialled, 1, p.names))
		say(write(p.dialled, 1, p.names))
		say(read(p.dialled, 1, p.names))
	})
	with("the peer resets while a read waits", func(p *pair, say func(string)) {
		say(waiting(func() string { return read(p.dialled, 9, p.names) }, func() {
			p.accepted.SetLinger(0)
			p.accepted.Close()
		}))
		say(read(p.dialled, 9, p.names))
	})
	with("the peer resets while a write waits", func(p *pair, say func(string)) {
		say(waiting(func() string { return fill(p.dialled, p.names) }, func() {
			p.accepted.SetLinger(0)
			p.accepted.Close()
		}))
		say(write(p.dialled, 9, p.names))
		say(read(p.dialled, 9, p.names))
	})
	with("closeWrite", func(p *pair, say func(string)) {
		p.dialled.Write([]byte("xyz"))
		say(said(p.dialled.CloseWrite(), p.names))
		say(said(p.dialled.CloseWrite(), p.names))
		say(write(p.dialled, 1, p.names))
		say(write(p.dialled, 0, p.names))
		settle()
		say(read(p.accepted, 9, nil))
		say(read(p.accepted, 9, nil))
		say(read(p.accepted, 9, nil))
		say(write(p.accepted, 2, nil))
		say(read(p.dialled, 9, p.names))
	})
	with("closeWrite while a write waits", func(p *pair, say func(string)) {
		say(waiting(func() string { return fill(p.dialled, p.names) }, func() { p.dialled.CloseWrite() }))
	})
	with("closeRead", func(p *pair, say func(string)) {
		say(waiting(func() string { return read(p.dialled, 9, p.names) }, func() { say(said(p.dialled.CloseRead(), p.names)) }))
		say(said(p.dialled.CloseRead(), p.names))
		say(read(p.dialled, 9, p.names))
		say(write(p.accepted, 3, nil))
		settle()
		say(read(p.dialled, 9, p.names))
		say(read(p.dialled, 9, p.names))
		say(write(p.dialled, 1, p.names))
	})
	with("both sides have ended their streams", func(p *pair, say func(string)) {
		p.dialled.CloseWrite()
		p.accepted.CloseWrite()
		settle()
		say(said(p.dialled.CloseRead(), p.names))
		say(said(p.dialled.CloseWrite(), p.names))
		say(read(p.dialled, 9, p.names))
		say(write(p.dialled, 9, p.names))
		say(said(p.dialled.SetLinger(0), p.names))
		say(said(p.dialled.Close(), p.names))
	})
	with("options that are taken, and that are not", func(p *pair, say func(string)) {
		say(said(p.dialled.SetNoDelay(false), p.names))
		say(said(p.dialled.SetLinger(-1), p.names))
		say(said(p.dialled.SetLinger(0), p.names))
		say(said(p.dialled.SetReadBuffer(-1), p.names))
		say(said(p.dialled.SetWriteBuffer(0), p.names))
		say(said(p.dialled.SetKeepAlivePeriod(32767*time.Second), p.names))
		say(said(p.dialled.SetKeepAlivePeriod(40000*time.Second), p.names))
	})
	with("readFrom", func(p *pair, say func(string)) {
		n, err := p.dialled.ReadFrom(struct{ io.Reader }{strings.NewReader("xyz")})
		say(counted(int(n), err, p.names))
		n, err = p.dialled.ReadFrom(struct{ io.Reader }{io.MultiReader(strings.NewReader("xy"), broken{})})
		say(counted(int(n), err, p.names))
		p.dialled.CloseWrite()
		n, err = p.dialled.ReadFrom(struct{ io.Reader }{strings.NewReader("xyz")})
		say(counted(int(n), err, p.names))
		n, err = p.dialled.ReadFrom(struct{ io.Reader }{strings.NewReader("")})
		say(counted(int(n), err, p.names))
		p.dialled.SetWriteDeadline(past)
		n, err = p.dialled.ReadFrom(struct{ io.Reader }{strings.NewReader("xyz")})
		say(counted(int(n), err, p.names))
		p.dialled.Close()
		n, err = p.dialled.ReadFrom(struct{ io.Reader }{strings.NewReader("xyz")})
		say(counted(int(n), err, p.names))
	})
	with("buffers", func(p *pair, say func(string)) {
		n, err := (&net.Buffers{[]byte("ab"), nil, []byte("c")}).WriteTo(p.dialled)
		say(counted(int(n), err, p.names))
		p.dialled.CloseWrite()
		b := net.Buffers{[]byte("ab"), []byte("c")}
		n, err = b.WriteTo(p.dialled)
		say(counted(int(n), err, p.names) + fmt.Sprint(", left ", len(b)))
		p.dialled.SetWriteDeadline(past)
		n, err = b.WriteTo(p.dialled)
		say(counted(int(n), err, p.names) + fmt.Sprint(", left ", len(b)))
	})
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("out of paper") }

func pipes() {
	scene("pipe", func(say func(string)) {
		one, other := net.Pipe()
		say(one.LocalAddr().Network() + " " + one.RemoteAddr().String())
		one.SetDeadline(past)
		say(read(one, 1, nil))
		say(write(one, 1, nil))
		one.SetDeadline(time.Time{})
		go other.Write(make([]byte, 3))
		say(read(one, 2, nil))
		say(read(one, 2, nil))
		go other.Write(nil)
		say(read(one, 2, nil))
		say(waiting(func() string { return write(one, 5, nil) }, func() {
			say(read(other, 2, nil))
			one.SetWriteDeadline(past)
		}))
		one.SetWriteDeadline(time.Time{})
		say(waiting(func() string { return write(one, 5, nil) }, func() {
			say(read(other, 2, nil))
			other.Close()
		}))
		say(read(one, 1, nil))
		say(write(one, 1, nil))
		say(said(one.SetDeadline(past), nil))
		say(said(other.SetDeadline(past), nil))
		say(read(other, 1, nil))
		say(said(other.Close(), nil))
		say(said(one.Close(), nil))
		say(read(one, 1, nil))
	})
}

func packets() {
	scene("datagrams", func(say func(string)) {
		s := must(net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))
		c := must(net.DialUDP("udp", nil, s.LocalAddr().(*net.UDPAddr)))
		n := names{c.LocalAddr().String(), "L", s.LocalAddr().String(), "R"}
		_, err := c.WriteTo([]byte("x"), s.LocalAddr())
		say(said(err, n))
		_, err = s.Write([]byte("x"))
		say(said(err, n))
		say(write(c, 70000, n))
		say(said(c.SetDeadline(past), n))
		say(read(c, 1, n))
		say(write(c, 1, n))
		s.SetReadDeadline(past)
		_, _, err = s.ReadFrom(make([]byte, 1))
		say(said(err, n))
		c.SetDeadline(time.Time{})
		say(said(s.Close(), n))
		say(write(c, 1, n))
		settle()
		say(read(c, 1, n))
		say(said(s.Close(), n))
		_, err = s.WriteTo([]byte("x"), c.LocalAddr())
		say(said(err, n))
		say(said(s.SetDeadline(past), n))
		say(said(c.Close(), n))
		say(read(c, 1, n))
	})
}

// The scenes of what only later versions have, and those of away.sh's network.
var since123, sinceAway, servePeer = func() {}, func() {}, func() {}

func main() {
	if len(os.Args) > 1 {
		servePeer()
	}
	dials()
	listens()
	accepts()
	conns()
	pipes()
	packets()
	matrices()
	dialers()
	ends()
	since123()
	if os.Getenv("FACTS_AWAY") != "" {
		sinceAway()
	}
	fmt.Println("{")
	for i, name := range order {
		fmt.Print("  ")
		key, _ := json.Marshal(name)
		fmt.Printf("%s: ", unescape(key))
		if len(facts[name]) == 1 {
			text, _ := json.Marshal(facts[name])
			fmt.Print(unescape(text))
		} else {
			text, _ := json.MarshalIndent(facts[name], "  ", "  ")
			fmt.Print(unescape(text))
		}
		if i < len(order)-1 {
			fmt.Print(",")
		}
		fmt.Println()
	}
	fmt.Println("}")
}

func unescape(text []byte) string {
	return strings.NewReplacer(`\u003e`, ">", `\u003c`, "<", `\u0026`, "&").Replace(string(text))
}

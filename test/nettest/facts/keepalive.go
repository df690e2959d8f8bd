//go:build go1.23

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// What came with Go 1.23, and with 1.22.
func init() { since123 = func() { keepAlives(); writesTo() } }

type full struct{}

func (full) Write([]byte) (int, error) { return 1, errors.New("full") }

func writesTo() {
	scene("whole: writeTo", func(say func(string)) {
		for _, end := range []string{"close", "reset", "nothing"} {
			for _, to := range []io.Writer{&bytes.Buffer{}, full{}} {
				p := connected()
				p.accepted.Write([]byte("xyz"))
				settle()
				if end == "reset" {
					p.accepted.SetLinger(0)
				}
				if end == "nothing" {
					p.dialled.SetReadDeadline(soon())
				} else {
					p.accepted.Close()
				}
				settle()
				for i := 0; i < 3; i++ {
					n, err := p.dialled.WriteTo(to)
					say(fmt.Sprintf("%s %T %d %s", end, to, n, whole(err, p.names)))
				}
				p.dialled.Close()
				n, err := p.dialled.WriteTo(to)
				say(fmt.Sprintf("%s %T %d %s", end, to, n, whole(err, p.names)))
				p.done()
			}
		}
	})
}

func keepAlives() {
	const s = time.Second
	configs := []net.KeepAliveConfig{
		{}, {Enable: true}, {Enable: true, Idle: 5 * s}, {Enable: true, Interval: 2100 * time.Millisecond}, {Enable: true, Count: 3}, {Enable: true, Idle: -1, Interval: -1, Count: -1},
		{Enable: true, Idle: -1, Interval: 7 * s, Count: 4}, {Enable: true, Idle: 1, Interval: 1, Count: 1}, {Enable: false, Idle: 7 * s, Interval: 8 * s, Count: 4}, {Idle: -1, Interval: -1, Count: -1},
		{Enable: true, Idle: 32767 * s, Interval: 32767 * s, Count: 127}, {Enable: true, Idle: 32768 * s}, {Enable: true, Interval: 32768 * s}, {Enable: true, Count: 128},
		{Enable: true, Idle: 1, Interval: 32768 * s, Count: 3},
	}
	periods := []time.Duration{0, -1, 1, 1500 * time.Millisecond, 5 * s, 40000 * s}
	for i, c := range configs {
		scene(fmt.Sprintf("keepAliveConfig %d", i), func(say func(string)) {
			for _, period := range periods {
				l := must((&net.ListenConfig{KeepAlive: period, KeepAliveConfig: c}).Listen(context.Background(), "tcp", "127.0.0.1:0"))
				d := must((&net.Dialer{KeepAlive: period, KeepAliveConfig: c}).Dial("tcp", l.Addr().String()))
				a := must(l.Accept())
				say(keptAlive(d) + ", " + keptAlive(a))
				d.Close()
				a.Close()
				l.Close()
			}
			p := connected()
			say(whole(p.dialled.SetKeepAliveConfig(c), p.names) + ": " + keptAlive(p.dialled))
			p.dialled.Close()
			say(whole(p.dialled.SetKeepAliveConfig(c), p.names))
			p.done()
		})
	}
	scene("keepAlivePeriod", func(say func(string)) {
		p := connected()
		for _, period := range append(periods, -s, 32767*s, 32768*s, 32766*s+1) {
			say(whole(p.dialled.SetKeepAlivePeriod(period), p.names) + ": " + keptAlive(p.dialled))
		}
		p.done()
	})
}

// Go's own tests of what a net.Conn must do (golang.org/x/net/nettest), over connections of ours: every call on a Conn
// here is a message to a Node process (bridge.ts), which makes it on a connection of tunstack.
package bridge

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/nettest"
)

// What a message asks for; bridge.ts has the same list.
const (
	opPair = iota
	opRead
	opWrite
	opClose
	opDeadline
	opReadDeadline
	opWriteDeadline
	opStop
)

// The first byte of an answer.
const (
	answerOK = iota
	answerError
	answerEOF
)

// node is the process that has the connections. A message is its length, the id of the call, the op, the id of the connection,
// and a payload; an answer its length, the id, a status, and a payload.
type node struct {
	out     io.Writer
	sending sync.Mutex
	lock    sync.Mutex
	nextID  uint32
	waiting map[uint32]chan []byte
}

func start(t *testing.T) *node {
	t.Helper()
	cmd := exec.Command("node", os.Getenv("NETTEST_BRIDGE"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := &node{out: in, waiting: map[uint32]chan []byte{}}
	go n.receive(bufio.NewReaderSize(out, 1<<16))
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the bridge ended with %v", err)
		}
	})
	return n
}

func (n *node) receive(in io.Reader) {
	var length [4]byte
	for {
		if _, err := io.ReadFull(in, length[:]); err != nil {
			return
		}
		answer := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(in, answer); err != nil {
			return
		}
		n.lock.Lock()
		waiting := n.waiting[binary.BigEndian.Uint32(answer)]
		delete(n.waiting, binary.BigEndian.Uint32(answer))
		n.lock.Unlock()
		waiting <- answer[4:]
	}
}

func (n *node) call(op byte, conn uint32, payload []byte) []byte {
	answer := make(chan []byte, 1)
	n.lock.Lock()
	id := n.nextID
	n.nextID++
	n.waiting[id] = answer
	n.lock.Unlock()
	message := make([]byte, 13, 13+len(payload))
	binary.BigEndian.PutUint32(message, uint32(9+len(payload)))
	binary.BigEndian.PutUint32(message[4:], id)
	message[8] = op
	binary.BigEndian.PutUint32(message[9:], conn)
	n.sending.Lock()
	n.out.Write(append(message, payload...))
	n.sending.Unlock()
	return <-answer
}

type addr struct{ network, text string }

func (a addr) Network() string { return a.network }
func (a addr) String() string  { return a.text }

// failure is an error of the connection, with what net.Error asks.
type failure struct {
	Message      string `json:"message"`
	IsTimeout    bool   `json:"timeout"`
	IsTemporary  bool   `json:"temporary"`
	BytesWritten int    `json:"bytesWritten"`
}

func (f *failure) Error() string   { return f.Message }
func (f *failure) Timeout() bool   { return f.IsTimeout }
func (f *failure) Temporary() bool { return f.IsTemporary }

// conn is a net.Conn whose other side is in the Node process.
type conn struct {
	node          *node
	id            uint32
	local, remote addr
}

func result(answer []byte) ([]byte, error) {
	switch answer[0] {
	case answerOK:
		return answer[1:], nil
	case answerEOF:
		return nil, io.EOF
	}
	f := &failure{}
	if err := json.Unmarshal(answer[1:], f); err != nil {
		return nil, err
	}
	return nil, f
}

func (c *conn) Read(b []byte) (int, error) {
	var room [4]byte
	binary.BigEndian.PutUint32(room[:], uint32(len(b)))
	bytes, err := result(c.node.call(opRead, c.id, room[:]))
	return copy(b, bytes), err
}

func (c *conn) Write(b []byte) (int, error) {
	_, err := result(c.node.call(opWrite, c.id, b))
	if f, ok := err.(*failure); ok {
		return f.BytesWritten, err
	}
	return len(b), err
}

func (c *conn) Close() error {
	_, err := result(c.node.call(opClose, c.id, nil))
	return err
}

func (c *conn) deadline(op byte, t time.Time) error {
	ms := math.NaN()
	if !t.IsZero() {
		ms = float64(t.UnixNano()) / 1e6
	}
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], math.Float64bits(ms))
	_, err := result(c.node.call(op, c.id, at[:]))
	return err
}

func (c *conn) LocalAddr() net.Addr                { return c.local }
func (c *conn) RemoteAddr() net.Addr               { return c.remote }
func (c *conn) SetDeadline(t time.Time) error      { return c.deadline(opDeadline, t) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.deadline(opReadDeadline, t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.deadline(opWriteDeadline, t) }

// TestConn runs the whole of nettest.TestConn over each kind of connection that bridge.ts makes.
func TestConn(t *testing.T) {
	for _, kind := range strings.Fields(os.Getenv("NETTEST_KINDS")) {
		kind := kind
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := start(t)
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				bytes, err := result(n.call(opPair, 0, []byte(kind)))
				if err != nil {
					return nil, nil, nil, err
				}
				var ends []struct {
					ID                     uint32
					Network, Local, Remote string
				}
				if err := json.Unmarshal(bytes, &ends); err != nil {
					return nil, nil, nil, err
				}
				var both [2]*conn
				for i, end := range ends {
					both[i] = &conn{n, end.ID, addr{end.Network, end.Local}, addr{end.Network, end.Remote}}
				}
				stop = func() {
					n.call(opStop, both[0].id, nil)
					n.call(opStop, both[1].id, nil)
				}
				return both[0], both[1], stop, nil
			})
		})
	}
}

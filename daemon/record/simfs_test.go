package record

import (
	"io"
	"io/fs"
	"maps"
	"math/rand"
	"slices"
	"sync"
	"time"
)

// simFS is a disk that keeps what was synced, and of the rest whatever it likes.
type simFS struct {
	mu      sync.Mutex
	names   map[string]*inode // as programs see them
	durable map[string]*inode // as of the last Sync of the directory
	moves   []func(map[string]*inode)
	ops     int
	// before is called with the lock at every operation that changes something;
	// its error is the operation's, which then does nothing.
	before func(op string) error
	short  bool // writes write half
}

type inode struct {
	data, synced []byte
	unsynced     []change
}

// change is a write, or with a nil data a truncation.
type change struct {
	at   int64
	data []byte
}

func (c change) apply(b []byte) []byte {
	if c.data == nil {
		return append([]byte(nil), b[:min(int64(len(b)), c.at)]...)
	}
	if grow := int(c.at) + len(c.data) - len(b); grow > 0 {
		b = append(b, make([]byte, grow)...)
	}
	copy(b[c.at:], c.data)
	return b
}

func newSimFS() *simFS {
	return &simFS{names: map[string]*inode{}, durable: map[string]*inode{}}
}

// cut returns the disk as a power cut now may leave it: each change that was not
// synced is there, or not, or in part.
func (s *simFS) cut(r *rand.Rand) *simFS {
	names := maps.Clone(s.durable)
	for _, move := range s.moves[:r.Intn(len(s.moves)+1)] {
		move(names)
	}
	after := newSimFS()
	done := map[*inode]*inode{}
	for name, node := range names {
		if done[node] == nil {
			data := slices.Clone(node.synced)
			for _, c := range node.unsynced {
				switch n := len(c.data); r.Intn(4) {
				case 0: // lost
				case 1: // in part
					if n > 0 {
						c.data = c.data[:r.Intn(n)]
					}
					data = c.apply(data)
				case 2: // only its length
					if n > 0 {
						c.data = make([]byte, n)
					}
					data = c.apply(data)
				default:
					data = c.apply(data)
				}
			}
			done[node] = &inode{data: data, synced: slices.Clone(data)}
		}
		after.names[name] = done[node]
	}
	after.durable = maps.Clone(after.names)
	return after
}

// enter locks and counts an operation.
func (s *simFS) enter(op string) error {
	s.mu.Lock()
	s.ops++
	if s.before != nil {
		return s.before(op)
	}
	return nil
}

func (s *simFS) move(f func(map[string]*inode)) {
	f(s.names)
	s.moves = append(s.moves, f)
}

func (s *simFS) OpenDir(string) (Dir, error) {
	err := s.enter("opendir")
	defer s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *simFS) List() ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Entry
	for _, name := range slices.Sorted(maps.Keys(s.names)) {
		all = append(all, Entry{name, int64(len(s.names[name].data)), time.Unix(0, 0)})
	}
	return all, nil
}

func (s *simFS) Create(name string) (File, error) {
	err := s.enter("create")
	defer s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if s.names[name] != nil {
		return nil, fs.ErrExist
	}
	node := &inode{}
	s.move(func(m map[string]*inode) { m[name] = node })
	return &simFile{s, node}, nil
}

func (s *simFS) Open(name string) (File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names[name] == nil {
		return nil, fs.ErrNotExist
	}
	return &simFile{s, s.names[name]}, nil
}

func (s *simFS) Rename(from, to string) error {
	err := s.enter("rename")
	defer s.mu.Unlock()
	if err != nil {
		return err
	}
	node := s.names[from]
	if node == nil {
		return fs.ErrNotExist
	}
	s.move(func(m map[string]*inode) {
		if m[from] == node {
			delete(m, from)
			m[to] = node
		}
	})
	return nil
}

func (s *simFS) Remove(name string) error {
	err := s.enter("remove")
	defer s.mu.Unlock()
	if err != nil {
		return err
	}
	s.move(func(m map[string]*inode) { delete(m, name) })
	return nil
}

func (s *simFS) Sync() error {
	err := s.enter("syncdir")
	defer s.mu.Unlock()
	if err != nil {
		return err
	}
	s.durable, s.moves = maps.Clone(s.names), nil
	return nil
}

func (s *simFS) Close() error { return nil }

type simFile struct {
	fs   *simFS
	node *inode
}

func (f *simFile) ReadAt(p []byte, at int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if at >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) WriteAt(p []byte, at int64) (int, error) {
	err := f.fs.enter("write")
	defer f.fs.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if f.fs.short {
		p = p[:len(p)/2]
	}
	c := change{at, append([]byte{}, p...)}
	f.node.data = c.apply(f.node.data)
	f.node.unsynced = append(f.node.unsynced, c)
	return len(p), nil
}

func (f *simFile) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return int64(len(f.node.data)), nil
}

func (f *simFile) Truncate(size int64) error {
	err := f.fs.enter("truncate")
	defer f.fs.mu.Unlock()
	if err != nil {
		return err
	}
	c := change{at: size}
	f.node.data = c.apply(f.node.data)
	f.node.unsynced = append(f.node.unsynced, c)
	return nil
}

// Sync keeps nothing of what was not synced when it fails, as ext4 may.
func (f *simFile) Sync() error {
	err := f.fs.enter("sync")
	defer f.fs.mu.Unlock()
	if err == nil {
		f.node.synced, f.node.unsynced = slices.Clone(f.node.data), nil
	}
	return err
}

func (f *simFile) Close() error { return nil }

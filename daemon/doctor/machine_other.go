//go:build !linux

package doctor

import (
	"errors"
	"io/fs"
)

func openDevice(string) error { return errors.ErrUnsupported }

func ownerOf(fs.FileInfo) (uid, gid int, ok bool) { return 0, 0, false }

func majorOf(fs.FileInfo) (major int, ok bool) { return 0, false }

func freeSpace(string) (int64, error) { return 0, errors.ErrUnsupported }

func synchronised() bool { return false }

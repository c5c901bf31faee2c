package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// maxConfig bounds a configuration file; a real one has a few kilobytes.
const maxConfig = 1 << 20

// ErrConfig is wrapped by every error that only an edit of the configuration
// can mend.
var ErrConfig = errors.New("configuration")

// TrainTable is the table of a configuration file that is not the daemon's:
// ragedge train reads it, and the daemon leaves it alone.
const TrainTable = "train"

// DropIns returns the directory whose files are read after the one at path when
// nothing else is said: ragedge.d beside ragedge.toml.
func DropIns(path string) string { return strings.TrimSuffix(path, ".toml") + ".d" }

// LoadConfig reads the file at path over the defaults, then every *.toml of
// directory dropIns in the order of their names; dropIns may be empty or
// missing. Later files win key by key, and add their sensors and sinks. Strings
// may name environment variables: see docs/configuration.md. The result is
// complete but not checked: see Config.Check.
func LoadConfig(path, dropIns string) (Config, error) {
	c := DefaultConfig()
	c.origins = origins{}
	files := []string{path}
	if dropIns != "" {
		more, err := filepath.Glob(filepath.Join(dropIns, "*.toml"))
		if err != nil {
			return Config{}, fmt.Errorf("%w: directory %s: %w", ErrConfig, dropIns, err)
		}
		files = append(files, more...)
	}
	for _, file := range files {
		if err := c.merge(file); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

// ConfigText returns the text of a configuration file with the environment variables
// that it names put in.
func ConfigText(file string) ([]byte, error) {
	text, _, err := configText(file)
	return text, err
}

func configText(file string) ([]byte, origins, error) {
	text, err := readConfig(file)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	text, from, err := expand(text, os.LookupEnv)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrConfig, file, err)
	}
	return text, from, nil
}

// merge reads one file over c.
func (c *Config) merge(file string) error {
	text, from, err := configText(file)
	if err != nil {
		return err
	}
	sensors, sinks := c.Sensors, c.Sinks
	c.Sensors, c.Sinks = nil, nil
	if err := parseConfig(text, c); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrConfig, file, err)
	}
	c.origins.add(from, len(sensors), len(sinks))
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	c.resolve(dir)
	c.Sensors = slices.Concat(sensors, c.Sensors)
	c.Sinks = slices.Concat(sinks, c.Sinks)
	return nil
}

// resolve makes the paths that one file named absolute to its directory.
func (c *Config) resolve(dir string) {
	under := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	if filepath.Base(c.Agent.Model) != c.Agent.Model {
		under(&c.Agent.Model)
	}
	under(&c.Agent.ModelDirectory)
	under(&c.Record.Directory)
	for i := range c.Sensors {
		under(&c.Sensors[i].File)
		under(&c.Sensors[i].CAFile)
		credential(&c.Sensors[i].PasswordFile)
		under(&c.Sensors[i].PasswordFile)
	}
	for _, name := range []*string{&c.API.TLSCert, &c.API.TLSKey, &c.API.TokenFile, &c.API.ClientCA} {
		credential(name)
		under(name)
	}
	for i := range c.Sinks {
		under(&c.Sinks[i].Path)
		under(&c.Sinks[i].Spill)
		under(&c.Sinks[i].CAFile)
		credential(&c.Sinks[i].PasswordFile)
		under(&c.Sinks[i].PasswordFile)
	}
}

// credential replaces the name of a credential that systemd hands to this service
// by the path of its file.
func credential(name *string) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if *name == "" || dir == "" || filepath.Base(*name) != *name {
		return
	}
	path := filepath.Join(dir, *name)
	if _, err := os.Stat(path); err == nil {
		*name = path
	}
}

func readConfig(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxConfig {
		return nil, &fs.PathError{Op: "read", Path: file,
			Err: fmt.Errorf("not a regular file of at most %d bytes", maxConfig)}
	}
	return os.ReadFile(file)
}

// parseConfig decodes TOML text over c. Errors begin with line:column, or with the
// key.
func parseConfig(text []byte, c *Config) error {
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(c)
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var all []error
		for i := range strict.Errors {
			e := &strict.Errors[i]
			if e.Key()[0] == TrainTable {
				continue
			}
			row, col := e.Position()
			all = append(all, fmt.Errorf("%d:%d: unknown key %s%s", row, col, keyPath(e.Key()), suggest(e.Key())))
		}
		if err = errors.Join(all...); err != nil {
			return err
		}
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, col := e.Position()
		return fmt.Errorf("%d:%d: %s%w", row, col, prefix(keyPath(e.Key())), e)
	}
	if wrong := checkDurations(text); wrong != nil {
		return wrong
	}
	return err
}

func prefix(key string) string {
	if key == "" {
		return ""
	}
	return key + ": "
}

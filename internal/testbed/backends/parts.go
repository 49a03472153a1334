package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"caesar/internal/testbed"
)

// The variables by which the tests find the services.
const (
	postgresVariable = "CAESAR_TEST_POSTGRES"
	s3Variable       = "CAESAR_TEST_S3"
)

// parts is what runs beside the command.
type parts struct {
	folder string         // where all lies that was started; empty where nothing was
	stop   []func() error // in the order of their starts
}

// gather has all services run that the variables do not name, and sets the variables. What is not to be had
// here is told and left out, but is an error where all has to be there. What it returns is to be ended, also
// with an error.
func gather(all bool) (*parts, error) {
	p := &parts{}
	lacks := func(err error) error {
		if err != nil && !all {
			fmt.Fprintf(os.Stderr, "backends: %v: the tests that need it are left out\n", err)
			return nil
		}
		return err
	}
	if err := lacks(install(absent())); err != nil {
		return p, err
	}
	for _, name := range absent() {
		if err := lacks(fmt.Errorf("%s is not installed", name)); err != nil {
			return p, err
		}
	}
	var err error
	if p.folder, err = os.MkdirTemp("", "caesar-backends-"); err != nil {
		return p, err
	}
	// PostgreSQL may run as another user, who has to come by.
	if err := os.Chmod(p.folder, 0o711); err != nil {
		return p, err
	}
	if os.Getenv(postgresVariable) == "" && testbed.HasPostgres() {
		err = lacks(p.start(postgresVariable, runPostgres))
	}
	if os.Getenv(s3Variable) == "" && err == nil {
		err = lacks(p.start(s3Variable, runS3))
	}
	return p, err
}

// start starts one service in a folder of its own, and sets its variable.
func (p *parts) start(variable string, run func(folder string) (url string, stop func() error, err error)) error {
	folder := filepath.Join(p.folder, variable)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	url, stop, err := run(folder)
	if err != nil {
		return err
	}
	p.stop = append(p.stop, stop)
	return os.Setenv(variable, url)
}

// end ends all that was started and removes what it left.
func (p *parts) end() error {
	var errs []error
	for _, stop := range p.stop {
		errs = append(errs, stop())
	}
	if p.folder != "" {
		errs = append(errs, os.RemoveAll(p.folder))
	}
	return errors.Join(errs...)
}

func runPostgres(folder string) (url string, stop func() error, err error) {
	server, err := testbed.RunPostgres(folder, false)
	if err != nil {
		return "", nil, err
	}
	return server.URL(), server.Kill, nil // nobody reads again what it holds
}

func runS3(folder string) (url string, stop func() error, err error) {
	server, err := testbed.RunS3(folder)
	if err != nil {
		return "", nil, err
	}
	return server.URL(), server.Stop, nil
}

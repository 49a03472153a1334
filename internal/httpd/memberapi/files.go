package memberapi

import (
	"context"
	"encoding/hex"
	"net/http"

	"caesar/internal/backup"
	"caesar/internal/httpd/wire"
	"caesar/internal/phrase"
	"caesar/internal/session"
)

// upload is POST /user/upload_file/.
func (a *api) upload(w http.ResponseWriter, r *http.Request, who session.Asker) (answer, error) {
	version, err := a.receive(w, r, who)
	if err != nil {
		// Of what is still to come nothing is worth reading, and what follows it can't be found without.
		w.Header().Set("Connection", "close")
		return nil, err
	}
	return body(func(b []byte, l phrase.Language) []byte {
		b = wire.AppendName(appendHead(b, http.StatusOK, phrase.MemberFileUploaded.In(l)), "data")
		return append(appendVersion(b, &version), '}')
	}), nil
}

func (a *api) receive(w http.ResponseWriter, r *http.Request, who session.Asker) (backup.Version, error) {
	ctx := r.Context()
	// What the length tells is enough to turn away before anything is read what can't be kept.
	if err := a.Backups.Admit(ctx, who, max(0, r.ContentLength-wire.MaxAround)); err != nil {
		return backup.Version{}, err
	}
	file, err := wire.OpenUpload(w, r, "file")
	if err != nil {
		return backup.Version{}, err
	}
	version, err := a.Backups.Upload(ctx, who, file.Filename, file)
	wire.ExtendWriting(w) // the answer has its time from now on
	return version, err
}

// appendVersion appends what a person is told of a version.
func appendVersion(b []byte, v *backup.Version) []byte {
	b = wire.AppendInt(append(b, '{'), "id", v.ID)
	b = wire.AppendText(b, "name", v.Name)
	b = wire.AppendInt(b, "size", v.Size)
	b = wire.AppendText(b, "sha256", hex.EncodeToString(v.SHA256[:]))
	return append(wire.AppendInt(b, "created_at", v.CreatedAt.Unix()), '}')
}

// newest is the request for the version that was uploaded last.
func newest(*wire.Reader, *http.Request) int64 { return 0 }

func readID(rd *wire.Reader, _ *http.Request) int64 { return rd.PathID("id") }

// download is GET /user/download_file/ and GET /user/files/{id}/.
func (a *api) download(ctx context.Context, who session.Asker, id int64) (answer, error) {
	content, err := a.Backups.Open(ctx, who, id)
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if err := content.Close(); err != nil {
				wire.Note(r.Context(), err)
			}
		}()
		v := &content.Version
		wire.ServeContent(w, r, wire.Download{
			Name: v.Name, Size: v.Size, ETag: `"` + hex.EncodeToString(v.SHA256[:]) + `"`, Modified: v.CreatedAt,
		}, content, fail)
	}, nil
}

// listFiles is GET /user/files/.
func (a *api) listFiles(ctx context.Context, who session.Asker, _ struct{}) (answer, error) {
	listing, err := a.Backups.List(ctx, who)
	if err != nil {
		return nil, err
	}
	return body(func(b []byte, l phrase.Language) []byte {
		b = append(wire.AppendName(appendHead(b, http.StatusOK, phrase.MemberFiles.In(l)), "data"), '{')
		b = append(wire.AppendName(b, "files"), '[')
		for i := range listing.Versions {
			b = appendVersion(wire.AppendComma(b), &listing.Versions[i])
		}
		b = wire.AppendInt(append(b, ']'), "used", listing.Used)
		b = wire.AppendInt(b, "quota", listing.Quota)
		return append(wire.AppendInt(b, "kept", int64(listing.Keep)), '}', '}')
	}), nil
}

// deleteFile is DELETE /user/files/{id}/.
func (a *api) deleteFile(ctx context.Context, who session.Asker, id int64) (answer, error) {
	return say(phrase.MemberFileDeleted), a.Backups.Delete(ctx, who, id)
}

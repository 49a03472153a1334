package client_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"caesar/client"
)

// Log in, keep an item, and read it again. The captcha is shown to a person in between.
func Example() {
	ctx := context.Background()
	vault, err := client.New("http://localhost:8888", client.WithLanguage("en"))
	if err != nil {
		log.Fatal(err)
	}
	captcha, err := vault.Captcha(ctx)
	if err != nil {
		log.Fatal(err)
	}
	err = vault.Login(ctx, client.Credentials{
		UserName: "lilei", Password: "correct horse",
		Captcha: readByAPerson(captcha), CaptchaID: captcha.ID,
	})
	if err != nil {
		log.Fatal(err)
	}
	id, err := vault.CreateItem(ctx, "battery staple", client.NewItem{
		Name: "lilei", Password: "s3kr1t!", Platform: "百度 Baidu", URL: "https://www.baidu.com",
	})
	if err != nil {
		log.Fatal(err)
	}
	secret, err := vault.RevealItem(ctx, id, "battery staple")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(secret.Password)
}

// What was kept in the last week.
func ExampleClient_ListItems() {
	vault, err := client.New("http://localhost:8888", client.WithToken("the token of an earlier login"))
	if err != nil {
		log.Fatal(err)
	}
	page, err := vault.ListItems(context.Background(), client.ItemQuery{
		Platform: "baidu", DateStart: time.Now().AddDate(0, 0, -7),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, item := range page.Data {
		fmt.Println(item.ID, item.Platform, item.CreatedAt.Time())
	}
}

// Tell a wrong main password from everything else that can go wrong.
func ExampleSlug() {
	vault, err := client.New("http://localhost:8888", client.WithToken("the token of an earlier login"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = vault.RevealItem(context.Background(), 7, "battery stapler")
	switch client.Slug(err) {
	case client.MainPasswordWrong:
		fmt.Println("try again")
	case client.Unauthenticated:
		fmt.Println("log in again")
	}
}

func readByAPerson(client.CaptchaImage) string { return "30617" }

// Back a file up, and bring the newest backup back.
func ExampleMember_Upload() {
	ctx := context.Background()
	vault, err := client.New("http://localhost:8888")
	if err != nil {
		log.Fatal(err)
	}
	member := vault.Member()
	if err := member.Login(ctx, "lilei@example.com", "correct horse", false); err != nil {
		log.Fatal(err)
	}
	file, err := os.Open("backup.zip")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	if _, err := member.Upload(ctx, "backup.zip", file); err != nil {
		log.Fatal(err)
	}
	newest, err := member.Download(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer newest.Close()
	if _, err := io.Copy(os.Stdout, newest); err != nil {
		log.Fatal(err) // also where it is not what was uploaded
	}
}

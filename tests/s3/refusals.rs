//! What a store refuses is said in words that help.

use kiln::testing::dev::synth::Release;

use super::on_each;

#[test]
fn wrong_keys_a_missing_bucket_and_an_empty_one_are_told_apart() {
    on_each("", |site| {
        let file = site.release(&Release::small(1));
        let file = file.to_string_lossy();
        for arguments in [vec!["run", "druginfo"], vec!["land", "druginfo", &file]] {
            for (name, value, said) in [
                ("AWS_SECRET_ACCESS_KEY", "wrong", "not accepted (SignatureDoesNotMatch)"),
                ("AWS_ACCESS_KEY_ID", "AKIAWRONG", "not accepted (InvalidAccessKeyId)"),
            ] {
                let outcome = site.world.kiln(&arguments).env(name, value).exits(10);
                outcome.says(&["the credentials are ", said, "hint: check the AWS_* variables"]);
            }
            let mut kiln = site.world.kiln(&arguments);
            let outcome = kiln.env("KILN_S3_URL", "s3://kiln-no-such-bucket").exits(10);
            outcome.says(&["s3://kiln-no-such-bucket/", "there is no such bucket"]);
            outcome.says(&["hint: check KILN_S3_URL"]);
        }
        let outcome = site.world.kiln(&["run", "druginfo"]).exits(10);
        outcome.says(&["nothing has landed under s3://", "hint: kiln land druginfo FILE"]);
        assert!(site.keys().is_empty(), "{}", site.name);
        assert_eq!(site.world.databases(), Vec::<String>::new(), "{}", site.name);
    });
}

"""stub"""
import json
def write(result, out):
    (out / "RESULT.json").write_text(json.dumps(result, indent=1))
    (out / "RESULT.md").write_text("")

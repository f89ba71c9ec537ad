"""The hand that asks AWS: reads only, through botocore (extra `reconciler[aws]`), which is imported when the first question is asked."""

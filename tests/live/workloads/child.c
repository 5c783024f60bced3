/*
 * child: what "execs" executes; ends at once.
 */
int main(void)
{
	return 0;
}
